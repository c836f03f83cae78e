"""Finds what no signal told us: bulk_create, QuerySet.update, fixtures, raw SQL, lost marks.

One statement a kind of gap, comparing tables; no file is read.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from imgrec import jobs, neighbours, space_rows
from imgrec.indexing import active_spaces
from imgrec.locks import advisory_lock
from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition, all_spaces

logger = logging.getLogger(__name__)

# A sweep's own jobs come after a shopper's or merchant's.
PRIORITY = 10
ROWS_AT_ONCE = 5_000


def sweep() -> int:
    """Queue every gap of every active space; return how many jobs that made."""
    space_rows.sync()
    active = active_spaces()
    for space in all_spaces():
        if space not in active:
            jobs.merge_waiting(space)
    return sum(_sweep_space(space) for space in active)


def queue_missing(space: SpaceDefinition) -> int:
    """Queue what is missing or out of date now, no row twice with a sweep's; return how many."""
    with transaction.atomic(using=space.using):
        _alone(space, wait=True)
        return jobs.add_rows(space, missing(space), priority=PRIORITY)


def _sweep_space(space: SpaceDefinition) -> int:
    with transaction.atomic(using=space.using):
        if not _alone(space):
            return 0
        _drop_orphans(space)
        gaps = (missing(space), cleared(space))
        made = sum(jobs.add_rows(space, rows, priority=PRIORITY) for rows in gaps)
        made += _mark_lists(space)
    neighbours.switch_when_ready(space)
    if made:
        logger.info("imgrec: sweep of %s queued %d jobs", space.label, made)
    return made


def _alone(space: SpaceDefinition, *, wait: bool = False) -> bool:
    """Let one sweep at a time look at a space."""
    return advisory_lock(space, "imgrec.sweep", wait=wait)


def with_photo(space: SpaceDefinition) -> QuerySet[Any]:
    """Return the rows that name a photo."""
    rows = space.model._base_manager.using(space.using)
    return rows.exclude(Q(**{space.source: ""}) | Q(**{f"{space.source}__isnull": True}))


def missing(space: SpaceDefinition) -> QuerySet[Any]:
    """Return rows whose vector is missing, of another photo or of another version, unqueued.

    A photo that failed is left alone for as long as it is that photo.
    """
    current = space.embedding_model.objects.filter(
        owner=OuterRef("pk"),
        source_name=OuterRef(space.source),
        version=space.embedder.version,
    )
    handled = _jobs_of(space).filter(
        ~Q(state=EmbeddingJob.State.FAILED) | Q(source_name=OuterRef(space.source))
    )
    return with_photo(space).filter(~Exists(current), ~Exists(handled))


def cleared(space: SpaceDefinition) -> QuerySet[Any]:
    """Return rows whose photo is gone but whose vector is not."""
    rows = space.model._base_manager.using(space.using).filter(
        Q(**{space.source: ""}) | Q(**{f"{space.source}__isnull": True}),
        Exists(space.embedding_model.objects.filter(owner=OuterRef("pk"))),
    )
    return rows.filter(~Exists(_jobs_of(space).exclude(state=EmbeddingJob.State.FAILED)))


def _jobs_of(space: SpaceDefinition) -> QuerySet[EmbeddingJob]:
    return EmbeddingJob.objects.filter(
        space=space.label, object_pk=Cast(OuterRef("pk"), TextField())
    )


def _drop_orphans(space: SpaceDefinition) -> None:
    """Remove vectors and lists whose row a raw DELETE took away."""
    for table, model in (
        (space.embedding_model, space.model),
        (space.list_model, space.item_model),
    ):
        owner = model._base_manager.filter(pk=OuterRef("owner_id"))
        table.objects.using(space.using).filter(~Exists(owner)).delete()


def _mark_lists(space: SpaceDefinition) -> int:
    """Mark items that have a vector but no list, or a list but no vector."""
    vectors = space.embedding_model.objects.using(space.using)
    lists = space.list_model.objects.using(space.using)
    column = space.item_column
    listless = vectors.filter(
        ~Exists(lists.filter(owner=OuterRef(column))), **{f"{column}__isnull": False}
    ).values_list(column, flat=True)
    idle = lists.filter(~Exists(vectors.filter(**{column: OuterRef("owner_id")})))
    items = {*listless[:ROWS_AT_ONCE], *idle.values_list("owner", flat=True)[:ROWS_AT_ONCE]}
    marked = jobs.open_jobs(space).exclude(item_pk="").values_list("item_pk", flat=True)
    left = sorted({str(item) for item in items} - set(marked))
    EmbeddingJob.objects.using(space.using).bulk_create(
        EmbeddingJob(space=space.label, object_pk="", item_pk=item, state=EmbeddingJob.State.LISTS)
        for item in left
    )
    return len(left)
