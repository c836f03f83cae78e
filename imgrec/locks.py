"""Who may work on a space, by the database: advisory locks that end with their transaction."""

from __future__ import annotations

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
