"""Stored top-k lists: build all of them, or repair those a batch of photos touched.

A step of its own after the vectors are committed, under one lock per space: two batches
that computed lists from each other's uncommitted rows would miss each other. The jobs in
state ``lists`` are its memory; they go in the transaction that brings the lists up to date.

A stored list is an exact prefix of the full ranking. Nothing outside it is more similar
than its last entry, so an item that enters below the last one cannot be appended; a list
that removals shrank below ``refill_below`` is computed anew. Up to ``stored_neighbours + 1``
items every list holds everything, and all are simply built.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from imgrec import lists
from imgrec.conf import settings
from imgrec.locks import advisory_lock
from imgrec.models import EmbeddingJob, Space
from imgrec.spaces import SpaceDefinition

MARKS_AT_ONCE = 5_000
BUILD_ABOVE = 500


def repair(space: SpaceDefinition) -> int:
    """Bring every list up to date that a finished job asks for; return how many jobs.

    When another worker holds the lock this returns at once: the holder looks for new jobs
    after it let go, so it finds ours, which were committed before we asked for the lock.
    """
    done = 0
    while _marks(space).exists():
        with transaction.atomic(using=space.using):
            if not _lock(space):
                break
            marks = list(_marks(space).order_by("id")[:MARKS_AT_ONCE])
            _bring_up_to_date(space, {each.item_pk for each in marks})
            _marks(space).filter(id__in=[each.id for each in marks]).delete()
            done += len(marks)
    return done


def rebuild(space: SpaceDefinition) -> int:
    """Build every list anew, waiting for the lock; return how many were written."""
    with transaction.atomic(using=space.using):
        _lock(space, wait=True)
        version = _served_version(space)
        return lists.build_all(space, version) if version else 0


def _marks(space: SpaceDefinition) -> Any:
    return EmbeddingJob.objects.using(space.using).filter(
        space=space.label, state=EmbeddingJob.State.LISTS
    )


def _lock(space: SpaceDefinition, *, wait: bool = False) -> bool:
    return advisory_lock(space, "imgrec.lists", wait=wait)


def _bring_up_to_date(space: SpaceDefinition, item_pks: set[str]) -> None:
    version = _served_version(space)
    if version != space.embedder.version:
        switch_when_ready(space)
        return
    to_python = space.item_model._meta.pk.to_python
    items = {to_python(pk) for pk in item_pks if pk}
    stored = space.list_model.objects.using(space.using).count()
    # With everything in every list, or much of everything changed, a build is less work.
    few = max(stored, _count_items(space, version)) <= settings.stored_neighbours + 1
    if few or len(items) > max(BUILD_ABOVE, stored // 10):
        lists.build_all(space, version)
    else:
        lists.Repair(space, version, items).run()


def _served_version(space: SpaceDefinition) -> str:
    """Return the version shoppers see; the first vectors of a space decide it."""
    rows = Space.objects.using(space.using).filter(label=space.label)
    version = rows.values_list("served_version", flat=True).first()
    if version == "":
        rows.update(served_version=space.embedder.version)
    return version or space.embedder.version


def switch_when_ready(space: SpaceDefinition) -> bool:
    """Serve the encoder's new version once every photo has it; all lists in one transaction.

    Until then the old lists stay as they are. Returns whether it switched.
    """
    with transaction.atomic(using=space.using):
        version = space.embedder.version
        served = _served_version(space) if _lock(space) else version
        if served == version or not _has_whole(space, version):
            return False
        lists.build_all(space, version)
        Space.objects.using(space.using).filter(label=space.label).update(served_version=version)
        return True


def _has_whole(space: SpaceDefinition, version: str) -> bool:
    """Return whether every photo that can be embedded has a vector of this version."""
    rows = EmbeddingJob.objects.using(space.using).filter(space=space.label)
    if rows.filter(state__in=["queued", "leased"]).exists():
        return False
    failed = rows.filter(state="failed").values_list("object_pk", flat=True)
    keys = [space.model._meta.pk.to_python(pk) for pk in failed]
    vectors = space.embedding_model.objects.using(space.using)
    stale = vectors.exclude(version=version).exclude(owner__in=keys)
    return vectors.filter(version=version).exists() and not stale.exists()


def _count_items(space: SpaceDefinition, version: str) -> int:
    rows = space.embedding_model.objects.using(space.using).filter(version=version)
    return int(rows.values(space.item_column).distinct().count())
