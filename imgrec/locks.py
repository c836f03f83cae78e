"""One worker at a time, by the database: advisory locks that end with their transaction."""

from __future__ import annotations

from django.db import connections

from imgrec.spaces import SpaceDefinition


def advisory_lock(space: SpaceDefinition, name: str, *, wait: bool = False) -> bool:
    """Take the space's lock of this name until the transaction ends (kept by poolers, too).

    Returns whether it is ours; with ``wait`` it is, sooner or later.
    """
    function = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    with connections[space.using].cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtext(%s), hashtext(%s))", [name, space.label])
        return wait or bool(cursor.fetchone()[0])
