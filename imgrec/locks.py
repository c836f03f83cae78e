"""Who may work on a space, by the database: advisory locks that end with their transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from imgrec.spaces import SpaceDefinition


def advisory_lock(
    space: SpaceDefinition, name: str, *, wait: bool = False, shared: bool = False
) -> bool:
    """Take the space's lock of this name until the transaction ends (kept by poolers, too).

    Returns whether it is ours; with ``wait`` it is, sooner or later. Several may hold it
    ``shared``; whoever waits to hold it alone comes before those that ask for a share later.
    """
    function = f"pg{'' if wait else '_try'}_advisory_xact_lock{'_shared' if shared else ''}"
    with connections[space.using].cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtext(%s), hashtext(%s))", [name, space.label])
        return wait or bool(cursor.fetchone()[0])


_MAY_IDLE = """
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')
"""
_TRY = "SELECT pg_try_advisory_xact_lock(hashtext(%s), hashtext(%s))"


@contextmanager
def lock_apart(space: SpaceDefinition, name: str) -> Iterator[bool]:
    """Try for a lock that a connection of its own holds; yields whether it is ours.

    For work that may not be in a transaction. The one that holds the lock idles without a
    snapshot, so that CONCURRENTLY, which waits for those that have any, does not wait for it.
    """
    holder: Any = connections[space.using].copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            cursor.execute(_MAY_IDLE)
            cursor.execute(_TRY, [name, space.label])
            (ours,) = cursor.fetchone()
            yield ours
            cursor.execute("ROLLBACK")  # closing alone lets go of it a moment later
    finally:
        holder.close()
