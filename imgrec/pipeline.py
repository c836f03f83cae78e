"""Photos on their way through a worker process: read and decoded ahead, embedded, stored.

At most ``batch_size`` photos are in hand, whatever happens: one half is embedded while threads
read and decode the other. So memory is bounded, a process that is killed leaves no more than
that to be done again, and each half is written in one go.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from imgrec import placeholders
from imgrec.ahead import Readers
from imgrec.batches import Batch
from imgrec.claims import Claim, claim_fresh, claim_retried
from imgrec.conf import settings
from imgrec.leases import Leases
from imgrec.spaces import SpaceDefinition

# While fresh photos wait, no more than this share of the time goes to those started before.
RETRIED_SHARE = 0.1

_retried_until: dict[str, float] = {}


class Pipeline:
    """Takes due jobs of one space to their ends, for a while.

    ``meanwhile`` is called between two batches, and now and then while a storage is slow.
    """

    def __init__(
        self, space: SpaceDefinition, readers: Readers, *, meanwhile: Callable[[], object]
    ) -> None:
        self._space = space
        self._readers = readers
        self._leases = Leases(space)
        # Digests of files that need not be decoded: placeholders, and what was decoded just now.
        self._spared = set(placeholders.left_out(space))
        self._meanwhile = meanwhile
        self._overlaps = settings.batch_size > 1 and readers.count > 0
        self._size = settings.batch_size // 2 if self._overlaps else settings.batch_size

    def run(self, *, seconds: float) -> bool:
        """Work for so long, for a whole batch at least; return whether there was any work."""
        ends_at = time.monotonic() + seconds
        retried = self._may_retry() and self._retry()
        return self._overlap(ends_at) or retried or self._retry()

    def _overlap(self, ends_at: float) -> bool:
        taken = 0
        batch = self._begin(claim_fresh(self._space, self._size))
        while batch:
            taken += len(batch.claims)
            more = taken < settings.batch_size or time.monotonic() < ends_at
            more = more and self._overlaps and not self._readers.is_stuck  # else: the next run
            ahead = self._begin(claim_fresh(self._space, self._size)) if more else None
            batch.finish(meanwhile=self._meanwhile)
            self._meanwhile()
            batch = ahead
        return bool(taken)

    def _may_retry(self) -> bool:
        """Return whether a photo started before has its turn before fresh ones."""
        return time.monotonic() >= _retried_until.get(self._space.label, 0.0)

    def _retry(self) -> bool:
        """Do one photo that was started before, on its own: it may be what killed its worker."""
        began = time.monotonic()
        batch = self._begin(claim_retried(self._space))
        if batch:
            batch.finish(meanwhile=self._meanwhile)
            ended = time.monotonic()
            _retried_until[self._space.label] = ended + (ended - began) / RETRIED_SHARE
        return bool(batch)

    def _begin(self, claims: list[Claim]) -> Batch | None:
        """Have the photos read and decoded."""
        if not claims:
            return None
        batch = Batch(
            self._space,
            claims,
            readers=self._readers,
            leases=self._leases,
            spared=self._spared,
        )
        batch.start()
        return batch
