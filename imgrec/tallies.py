"""What workers have done, counted in the database: of all processes and machines together.

Each process adds what it did every few seconds, in a transaction of its own, so that nobody
waits long for the row. One that is killed takes the last few seconds with it.
"""

from __future__ import annotations

import time
from collections import Counter
from threading import Lock

from django.db import DatabaseError, connections, transaction

from imgrec.models import Tally
from imgrec.spaces import SpaceDefinition

What = Tally.What
FLUSH_SECONDS = 3.0

# In one order, whoever adds: two processes never wait for each other's row.
_ADD = """
INSERT INTO imgrec_tally AS known (space, what, total, counted_at)
SELECT space, what, total, statement_timestamp()
FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS new(space, what, total)
ORDER BY space, what
ON CONFLICT (space, what) DO UPDATE
SET total = known.total + EXCLUDED.total, counted_at = EXCLUDED.counted_at
"""

_waiting: dict[str, Counter[tuple[str, str]]] = {}
_lock = Lock()
_flushed_at = 0.0


def add(space: SpaceDefinition, what: Tally.What, count: int) -> None:
    """Count so many; nothing is written yet. 0 counts as nothing done."""
    if count:
        with _lock:
            _waiting.setdefault(space.using, Counter())[space.label, what.value] += count


def flush(*, at_once: bool = False) -> None:
    """Write what was counted, unless that was done a moment ago. Troubles are for the next time.

    Not inside a transaction that goes on for long: it holds the rows until its end.
    """
    global _flushed_at
    if not at_once and time.monotonic() - _flushed_at < FLUSH_SECONDS:
        return
    _flushed_at = time.monotonic()
    with _lock:
        taken = {using: counted for using, counted in _waiting.items() if counted}
        _waiting.clear()
    for using, counted in taken.items():
        try:
            _write(using, counted)
        except DatabaseError:  # it has told others already, whose work matters more
            with _lock:
                _waiting.setdefault(using, Counter()).update(counted)


def forget() -> None:
    """Leave out what was counted and not written: it is of a database that is no more."""
    with _lock:
        _waiting.clear()


def _write(using: str, counted: Counter[tuple[str, str]]) -> None:
    columns = zip(*((space, what, n) for (space, what), n in counted.items()), strict=True)
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(_ADD, [list(column) for column in columns])
