"""The ``vector`` extension: made before the shop's first migration, or asked for in words."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.db import connections, router
from django.db.utils import DatabaseError

from imgrec.floors import numbers
from imgrec.spaces import all_spaces

# Below it: memory-safety fixes (CVE-2026-3172 in 0.8.2), index corruption (0.8.3), vacuum (0.8.4).
FLOOR = (0, 8, 4)


def installed_version(using: str) -> str:
    """Return the extension's version in this database, ``""`` when it is not there."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def is_too_old(version: str) -> bool:
    """Return whether that version of the extension has errors that were mended since."""
    return numbers(version) < FLOOR


def what_to_run(using: str) -> str:
    """Return what a database administrator must do, word for word."""
    name = connections[using].settings_dict["NAME"]
    return (
        f"imgrec needs the extension pgvector in the database {name!r}. Its present role may not "
        "create it. Have a database administrator install pgvector on the server (package "
        "postgresql-NN-pgvector, NN being the server's major version) and run once: "
        f'psql -d {name} -c "CREATE EXTENSION vector;"'
    )


def before_migrations(*, using: str, plan: Any = (), **kwargs: Any) -> None:
    """Create the extension when this run makes a table that needs it.

    Raises:
        CommandError: it is missing and this role may not create it; says what to run.
    """
    if connections[using].vendor != "postgresql":
        return  # imgrec.E008 says so
    here = [s for s in all_spaces() if router.allow_migrate_model(using, s.embedding_model)]
    apps = {space.embedding_model._meta.app_label for space in here}
    needed = any(not backwards and step.app_label in apps for step, backwards in plan)
    if not needed or installed_version(using):
        return
    try:
        with connections[using].cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except DatabaseError as error:
        raise CommandError(what_to_run(using)) from error
