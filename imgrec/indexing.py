"""The write use case: claim, decode, embed, store, then the lists.

Plain functions; tasks and commands are shells round :func:`work`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from django.db.models.functions import Now
from PIL import Image

from imgrec import first_load, jobs, neighbours, photo_queries, tallies, tiles
from imgrec.ahead import Readers
from imgrec.conf import settings
from imgrec.logs import about
from imgrec.models import EmbeddingJob, Space
from imgrec.pipeline import Pipeline
from imgrec.spaces import SpaceDefinition, all_spaces
from imgrec.time_limits import time_is_up

logger = logging.getLogger(__name__)

# While photos keep coming, lists follow this often: one repair for several batches.
LISTS_EVERY_SECONDS = 3.0
# And no more than this share of the time goes into them: in a first load every repair would
# rewrite what the next one rewrites again.
LISTS_SHARE = 0.1


def work(*, seconds: float = float("inf"), only: Sequence[SpaceDefinition] | None = None) -> bool:
    """Do all due work of the active spaces; return True when time ran out before that."""
    spaces = list(active_spaces() if only is None else only)
    ends_at = time.monotonic() + seconds
    for space in list(spaces):
        with _apart(space, spaces):
            first_load.begin(space)
    more = True
    while more and time.monotonic() < ends_at:
        # a while of each in turn: one space's reindex does not keep the others waiting
        busy = [_turn(space, spaces, ends_at) for space in list(spaces)]
        more = any(busy)
        photo_queries.answer_waiting()
    for space in list(spaces):
        with _apart(space, spaces):
            first_load.finish(space)
    tallies.flush(at_once=True)
    return more


_lists_at: dict[str, float] = {}


def _turn(space: SpaceDefinition, spaces: list[SpaceDefinition], ends_at: float) -> bool:
    """Embed for a while, let lists follow when it is time; return whether there may be more."""
    busy = False
    with _apart(space, spaces):
        began = time.monotonic()
        lists_at = _lists_at.setdefault(space.label, began + LISTS_EVERY_SECONDS)
        seconds = min(ends_at - began, max(lists_at - began, 0.0), LISTS_EVERY_SECONDS)
        busy = process(space, seconds=seconds)
        began = time.monotonic()
        if not busy or began >= lists_at:
            busy = neighbours.work(space) or busy
            ended = time.monotonic()
            pause = max(LISTS_EVERY_SECONDS, (ended - began) / LISTS_SHARE)
            _lists_at[space.label] = ended + pause
    return busy


@contextmanager
def _apart(space: SpaceDefinition, spaces: list[SpaceDefinition]) -> Iterator[None]:
    """Leave a space that fails for this time: its trouble is not the others'."""
    try:
        yield
    except time_is_up():
        raise
    except Exception:  # broad: a table not migrated yet, say; its jobs keep and come again
        logger.exception("imgrec: %s is left for now", space.label, extra=about(space))
        tallies.add(space, tallies.What.ERRORS, 1)
        spaces.remove(space)


def process(space: SpaceDefinition, *, seconds: float = 0.0) -> bool:
    """Take due jobs to their ends, a batch of them at least, for so long.

    Returns False when there was none. Shoppers' photos are answered meanwhile.
    """
    if not jobs.is_due(space):
        return False
    warm_up(space)
    with Readers(settings.decode_threads) as readers:
        pipeline = Pipeline(space, readers, meanwhile=photo_queries.answer_waiting)
        return pipeline.run(seconds=seconds)


_warm: set[str] = set()


def warm_up(space: SpaceDefinition) -> None:
    """Load the model before the first lease begins: that alone can outlast a lease."""
    if space.embedder.version in _warm:
        return
    # broad: the batch that follows meets the same trouble and gives it a reason
    with suppress(Exception):
        space.embedder.embed([Image.new("RGB", (8, 8), "white")])
    _warm.add(space.embedder.version)


def active_spaces() -> list[SpaceDefinition]:
    """Return the declared spaces that get work done."""
    idle = set(Space.objects.filter(is_active=False).values_list("label", flat=True))
    return [space for space in all_spaces() if space.label not in idle]


def is_crowded() -> bool:
    """Return whether more is due than a batch, or than a tile: another process can help."""
    spaces = active_spaces()
    labels = [space.label for space in spaces]
    due = EmbeddingJob.objects.filter(
        ~jobs.paused(), space__in=labels, state__in=jobs.OPEN, due_at__lte=Now()
    )
    if len(due.values("id")[: settings.batch_size + 1]) > settings.batch_size:
        return True
    return any(tiles.waiting(space) > 1 for space in spaces)
