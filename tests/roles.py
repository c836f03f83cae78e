"""A database role as careful shops give to their workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

NAME = "frugal"
RIGHTS = (
    f"CREATE ROLE {NAME} LOGIN PASSWORD '{NAME}'",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {NAME}",
    f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {NAME}",
)


@contextmanager
def worker_role() -> Iterator[None]:
    """Connect as a role that may read and write every row, and owns no table."""
    _execute(*RIGHTS)
    to = connection.settings_dict
    before = dict(to)
    connection.close()
    to.update(USER=NAME, PASSWORD=NAME)
    try:
        yield
    finally:
        connection.close()
        to.update(before)
        _execute(f"DROP OWNED BY {NAME}", f"DROP ROLE {NAME}")


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
