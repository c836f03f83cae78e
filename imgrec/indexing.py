"""The write use case: claim, decode, embed, store, then the lists.

Plain functions; Celery tasks and commands are shells round :func:`work`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from django.db.models.functions import Now
from PIL import Image

from imgrec import jobs, neighbours, photo_queries
from imgrec.batches import Batch
from imgrec.conf import settings
from imgrec.models import EmbeddingJob, Space
from imgrec.spaces import SpaceDefinition, all_spaces

# While photos keep coming, lists follow this often: one repair for several batches.
LISTS_EVERY_SECONDS = 3.0


def work(*, seconds: float = float("inf"), only: Sequence[SpaceDefinition] | None = None) -> bool:
    """Do all due work of the active spaces; return True when time ran out before that."""
    spaces = active_spaces() if only is None else only
    ends_at = time.monotonic() + seconds
    lists_at = time.monotonic() + LISTS_EVERY_SECONDS
    more = True
    while more and time.monotonic() < ends_at:
        # a batch of each in turn: one space's reindex does not keep the others waiting
        busy = {space for space in spaces if process(space)}
        photo_queries.answer_waiting()
        more = bool(busy)
        lists_due = time.monotonic() >= lists_at
        for space in spaces:
            if lists_due or space not in busy:
                neighbours.repair(space)
        if lists_due:
            lists_at = time.monotonic() + LISTS_EVERY_SECONDS
    for space in spaces:
        neighbours.repair(space)
    return more


def process(space: SpaceDefinition) -> bool:
    """Take one batch of due jobs to its end; return False when there was none."""
    if jobs.is_due(space):
        warm_up(space)
    claims = jobs.claim(space)
    if claims:
        Batch(space, claims).run()
    return bool(claims)


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
    """Return whether more than a batch is due, so that another process can help."""
    due = EmbeddingJob.objects.filter(state__in=jobs.OPEN, due_at__lte=Now())
    return len(due.values("id")[: settings.batch_size + 1]) > settings.batch_size
