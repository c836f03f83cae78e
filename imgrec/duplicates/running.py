"""All of it in a row: hash what is new, measure the limits if need be, find the pairs."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass

from imgrec.duplicates import finding, hashing, limits
from imgrec.duplicates.known import rows_of
from imgrec.errors import WeightsUnavailable
from imgrec.logs import about
from imgrec.spaces import SpaceDefinition

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How many photos of a space have their hashes."""

    hashed: int
    photos: int

    @property
    def is_whole(self) -> bool:
        """Whether all have."""
        return self.hashed >= self.photos


def progress(space: SpaceDefinition) -> Progress:
    """Return how far the hashing is. Two SELECTs."""
    photos = space.embedding_model.objects.using(space.using).count()
    return Progress(min(rows_of(space).count(), photos), photos)


def work(space: SpaceDefinition, *, seconds: float) -> bool:
    """Go on with it for so long; return whether there is more to do."""
    if not space.embedding_model.objects.using(space.using).exists():
        return False
    if not hashing.hash_all(space, until=time.monotonic() + seconds):
        return True
    try:
        finding.find(space, limits.stored(space) or limits.calibrate(space))
    except (WeightsUnavailable, ValueError) as error:
        logger.warning("imgrec: no duplicates: %s", error, extra=about(space))
    return False


def work_through(spaces: Iterable[SpaceDefinition], *, seconds: float) -> bool:
    """Go on with one space after the other; return whether time ran out."""
    ends_at = time.monotonic() + seconds
    return any(work(space, seconds=ends_at - time.monotonic()) for space in spaces)
