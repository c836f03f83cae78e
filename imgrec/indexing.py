"""The write use case: claim, decode, embed, store, then the lists.

Plain functions; Celery tasks and commands are shells round :func:`work`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.db.models.functions import Now

from imgrec import jobs, neighbours, photo_queries
from imgrec.batches import Batch
from imgrec.conf import settings
from imgrec.models import EmbeddingJob, Space
from imgrec.spaces import SpaceDefinition, all_spaces

# While photos keep coming, lists follow this often: one repair for several batches.
LISTS_EVERY_SECONDS = 3.0


def work(*, seconds: float = float("inf"), only: Sequence[SpaceDefinition] | None = None) -> bool:
    """Do all due work of the active spaces; return True when time ran out before that."""
    ends_at = time.monotonic() + seconds
    for space in active_spaces() if only is None else only:
        if _work_on(space, ends_at):
            return True
    return False


def _work_on(space: SpaceDefinition, ends_at: float) -> bool:
    lists_at = time.monotonic() + LISTS_EVERY_SECONDS
    more = True
    while more and time.monotonic() < ends_at:
        more = process(space)
        photo_queries.answer_waiting()
        if not more or time.monotonic() >= lists_at:
            neighbours.repair(space)
            lists_at = time.monotonic() + LISTS_EVERY_SECONDS
    if more:
        neighbours.repair(space)
    return more


def process(space: SpaceDefinition) -> bool:
    """Take one batch of due jobs to its end; return False when there was none."""
    claims = jobs.claim(space)
    if claims:
        Batch(space, claims).run()
    return bool(claims)


def active_spaces() -> list[SpaceDefinition]:
    """Return the declared spaces that get work done."""
    idle = set(Space.objects.filter(is_active=False).values_list("label", flat=True))
    return [space for space in all_spaces() if space.label not in idle]


def is_crowded() -> bool:
    """Return whether more than a batch is due, so that another process can help."""
    due = EmbeddingJob.objects.filter(state__in=jobs.OPEN, due_at__lte=Now())
    return len(due.values("id")[: settings.batch_size + 1]) > settings.batch_size
