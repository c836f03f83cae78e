"""Adds what a browser tells of a list to the sums of its day, each thing once.

One statement: the token's row says what is new of it, and only that is added. A message that
comes twice, late or out of order changes nothing; so does one of another page view with the
same token, for the first one has it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db import connections, router, transaction

from imgrec.earning.tables import ListCount
from imgrec.earning.tokens import MAX_AGE, Token
from imgrec.guest import LOCK_TIMEOUT_MS, in_transaction

# Rows a sum is spread over: visitors who come at the same time rarely want the same.
SHARDS = 8
# Used tokens are kept until they have run out, and are then thrown away by the way.
PURGE_SECONDS = 600.0
PURGE_ROWS = 20_000

SHOWN, SEEN, FIRST_CARD = 1, 2, 4

# No visitor holds a web server's thread for long; and what a power failure may cost, the counts
# of half a second, is not worth a wait for the disk on every page view.
_MANNERS = (
    f"SELECT set_config('lock_timeout', '{LOCK_TIMEOUT_MS}', true), "
    "set_config('synchronous_commit', 'off', true)"
)
_COUNT = """
WITH told AS (
    INSERT INTO imgrec_usedtoken AS known (nonce, view, events, before, used_at)
    VALUES (%s, %s, %s, 0, statement_timestamp())
    ON CONFLICT (nonce) DO UPDATE
    SET events = known.events | EXCLUDED.events, before = known.events
    WHERE known.view = EXCLUDED.view AND known.events | EXCLUDED.events <> known.events
    RETURNING events & ~before AS new, events, before
)
INSERT INTO imgrec_listcount AS known
    (day, placement, space, experiment, arm, shard, shown, seen, clicked, clicks)
SELECT %s, %s, %s, %s, %s, %s, new & 1, new >> 1 & 1,
    (events > 3 AND before <= 3)::int, bit_count((new >> 2)::bit(64))
FROM told
ON CONFLICT (day, placement, space, experiment, arm, shard) DO UPDATE
SET shown = known.shown + EXCLUDED.shown, seen = known.seen + EXCLUDED.seen,
    clicked = known.clicked + EXCLUDED.clicked, clicks = known.clicks + EXCLUDED.clicks
"""
_PURGE = """
DELETE FROM imgrec_usedtoken WHERE nonce IN (
    SELECT nonce FROM imgrec_usedtoken
    WHERE used_at < statement_timestamp() - %s * interval '1 s'
    LIMIT %s FOR UPDATE SKIP LOCKED
)
"""

_purged_at = float("-inf")


@dataclass(frozen=True)
class Told:
    """What a page view tells of one list: it was shown, at least."""

    view: int
    seen: bool
    cards: frozenset[int]  # positions of those clicked

    @property
    def events(self) -> int:
        """As bits. Whoever clicked has seen it, however quick they were."""
        clicked = sum(FIRST_CARD << each for each in self.cards)
        return SHOWN | (SEEN if self.seen or clicked else 0) | clicked


def count(token: Token, told: Told) -> None:
    """Count what is new; raises what the database raises."""
    using = router.db_for_write(ListCount)
    connection = connections[using]
    manners = not in_transaction(connection)
    of = (token.day, token.placement, token.space, token.experiment, token.arm)
    shard = token.nonce % SHARDS
    with transaction.atomic(using=using), connection.cursor() as cursor:
        if manners:
            cursor.execute(_MANNERS)
        cursor.execute(_COUNT, [token.nonce, told.view, told.events, *of, shard])
    _purge(using)


def _purge(using: str) -> None:
    """Throw away tokens that no longer hold, now and then."""
    global _purged_at
    if time.monotonic() - _purged_at < PURGE_SECONDS:
        return
    _purged_at = time.monotonic()
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        # Twice as long as they hold, whatever the clocks of two machines are apart.
        cursor.execute(_PURGE, [2 * MAX_AGE.total_seconds(), PURGE_ROWS])


def forget() -> None:
    """Purge at the next count."""
    global _purged_at
    _purged_at = float("-inf")
