"""Finds what no signal told us: bulk_create, QuerySet.update, fixtures, raw SQL, lost marks.

One statement a kind of gap, comparing tables; no file is read.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce

from imgrec import adding, calibrating, jobs, neighbours, space_rows, tallies, tiles
from imgrec.indexing import active_spaces
from imgrec.locks import advisory_lock
from imgrec.logs import about
from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition, all_spaces
from imgrec.time_limits import time_is_up

logger = logging.getLogger(__name__)

# A sweep's own jobs come after a shopper's or merchant's.
PRIORITY = 10
ROWS_AT_ONCE = 5_000


def sweep() -> int:
    """Queue every gap of every active space; return how many jobs that made."""
    space_rows.sync()
    active = active_spaces()
    made = 0
    for space in all_spaces():
        try:
            made += _sweep_space(space) if space in active else _rest(space)
        except time_is_up():
            raise
        except Exception:  # broad: one space's trouble is not the others'
            logger.exception("imgrec: %s was not swept", space.label, extra=about(space))
            tallies.add(space, tallies.What.ERRORS, 1)
    tallies.flush(at_once=True)
    return made


def _rest(space: SpaceDefinition) -> int:
    """Keep a space that is switched off from piling up jobs."""
    adding.merge_waiting(space)
    return 0


def queue_missing(space: SpaceDefinition) -> int:
    """Queue what is missing or out of date now, no row twice with a sweep's; return how many."""
    with transaction.atomic(using=space.using):
        _alone(space, wait=True)
        return adding.add_rows(space, missing(space), priority=PRIORITY)


def _sweep_space(space: SpaceDefinition) -> int:
    with transaction.atomic(using=space.using):
        if not _alone(space):
            return 0
        _drop_orphans(space)
        _drop_failures(space)
        gaps = (missing(space), cleared(space))
        made = sum(adding.add_rows(space, rows, priority=PRIORITY) for rows in gaps)
        made += _mark_lists(space) + (_mark_moved(space) if space.item else 0)
    neighbours.switch_when_ready(space)
    calibrating.keep_fresh(space)
    tallies.add(space, tallies.What.SWEEPS, 1)
    if made:
        logger.info("imgrec: sweep of %s queued %d jobs", space.label, made, extra=about(space))
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

    A photo that failed or is a placeholder is left alone for as long as it is that photo.
    """
    current = space.embedding_model.objects.filter(
        owner=OuterRef("pk"),
        source_name=OuterRef(space.source),
        version=space.embedder.version,
    )
    handled = _jobs_of(space).filter(
        ~Q(state__in=jobs.ENDED) | Q(source_name=OuterRef(space.source))
    )
    return with_photo(space).filter(~Exists(current), ~Exists(handled))


def cleared(space: SpaceDefinition) -> QuerySet[Any]:
    """Return rows whose photo is gone but whose vector is not."""
    rows = space.model._base_manager.using(space.using).filter(
        Q(**{space.source: ""}) | Q(**{f"{space.source}__isnull": True}),
        Exists(space.embedding_model.objects.filter(owner=OuterRef("pk"))),
    )
    return rows.filter(~Exists(_jobs_of(space).exclude(state__in=jobs.ENDED)))


def _jobs_of(space: SpaceDefinition) -> QuerySet[EmbeddingJob]:
    return EmbeddingJob.objects.filter(
        space=space.label, object_pk=Cast(OuterRef("pk"), TextField())
    )


def _drop_orphans(space: SpaceDefinition) -> None:
    """Remove vectors and lists whose row a raw DELETE took away; the lists they were in follow."""
    vectors = space.embedding_model.objects.using(space.using)
    gone = vectors.filter(~Exists(space.model._base_manager.filter(pk=OuterRef("owner_id"))))
    items = gone.values_list("owner_id", "item_pk" if space.item else "owner_id")
    jobs.mark_lists(space, [(str(owner), str(item)) for owner, item in items if item])
    gone.delete()
    item = space.item_model._base_manager.filter(pk=OuterRef("owner_id"))
    space.list_model.objects.using(space.using).filter(~Exists(item)).delete()


def _drop_failures(space: SpaceDefinition) -> None:
    """Forget failures and exclusions of photos that are no more, or were replaced since.

    Whoever held an old photo may have found out after the new one was stored.
    """
    ended = EmbeddingJob.objects.using(space.using).filter(space=space.label, state__in=jobs.ENDED)
    photos = with_photo(space).annotate(_key=Cast("pk", TextField()))
    same = {"_key": OuterRef("object_pk"), space.source: OuterRef("source_name")}
    ended.filter(~Exists(photos.filter(**same))).delete()


def _mark_moved(space: SpaceDefinition) -> int:
    """Mark both items of photos that QuerySet.update moved from one to the other."""
    vectors = space.embedding_model.objects.using(space.using)
    present = Coalesce(Cast(space.item_column, TextField()), Value("", output_field=TextField()))
    moved = vectors.annotate(_present=present).exclude(item_pk=F("_present"))[:ROWS_AT_ONCE]
    rows = list(moved.values_list("pk", "item_pk", "_present"))
    marks = [(str(pk), item) for pk, *items in rows for item in items if item]
    jobs.mark_lists(space, marks)
    for pk, _before, item in rows:
        vectors.filter(pk=pk).update(item_pk=item)
    return len(marks)


def _mark_lists(space: SpaceDefinition) -> int:
    """Mark items that have a vector but no list, or a list but no vector; none amid a build."""
    if tiles.is_open(space):
        return 0
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
    jobs.mark_lists(space, [("", item) for item in left])
    return len(left)
