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

from imgrec import calibrating, freshness, lists, tallies, tiles
from imgrec.conf import settings
from imgrec.locks import advisory_lock
from imgrec.models import EmbeddingJob, Space
from imgrec.repairing import Repair
from imgrec.spaces import SpaceDefinition
from imgrec.tallies import What

# Repaired in one pass over all vectors: what the pass costs is shared, and memory is bounded.
MARKS_AT_ONCE = 1_000
# More than this and than a tenth of all items changed: a build is less work than a repair.
BUILD_ABOVE = 500


def work(space: SpaceDefinition) -> bool:
    """Repair what a finished job asks for, and build one tile; return whether there was one."""
    tallies.add(space, What.LISTED, repair(space))
    built = tiles.is_open(space) and tiles.work(space, _served_version(space))
    tallies.add(space, What.TILES, int(built))
    tallies.flush()
    return built


def repair(space: SpaceDefinition) -> int:
    """Bring every list up to date that a finished job asks for; return how many jobs.

    When another worker holds the lock this returns at once: the holder looks for new jobs
    after it let go, so it finds ours, which were committed before we asked for the lock.
    While lists are built in tiles it waits for those that others are at.
    """
    done = 0
    while _marks(space).exists():
        with transaction.atomic(using=space.using):
            if not _lock(space, wait=tiles.is_open(space)):
                break
            done += _bring_up_to_date(space)
    return done


def rebuild(space: SpaceDefinition) -> int:
    """Build every list anew, waiting for the lock; return how many items that are.

    In a large space the tiles are only made: ``work`` builds them.
    """
    with transaction.atomic(using=space.using):
        _lock(space, wait=True)
        version = _served_version(space)
        return _build(space, version) if version else 0


def _build(space: SpaceDefinition, version: str) -> int:
    """Build all lists in this process, or have that done in tiles."""
    if _count_items(space, version) <= settings.spread_above:
        return lists.build_all(space, version)
    return tiles.plan(space, version)


def _marks(space: SpaceDefinition) -> Any:
    return EmbeddingJob.objects.using(space.using).filter(
        space=space.label, state=EmbeddingJob.State.LISTS
    )


def _lock(space: SpaceDefinition, *, wait: bool = False) -> bool:
    return advisory_lock(space, tiles.LOCK, wait=wait)


def _bring_up_to_date(space: SpaceDefinition) -> int:
    """Repair the lists some marks ask for, or build all; return how many marks that ends."""
    version = _served_version(space)
    # what is not seen here may be of a vector that is not seen below: it keeps its mark
    marks = list(_marks(space).order_by("id").values_list("id", flat=True))
    if version != space.embedder.version:
        switch_when_ready(space)
    elif _has_much_to_do(space, version, len(marks)):
        _build(space, version)
    else:
        del marks[MARKS_AT_ONCE:]
        to_python = space.item_model._meta.pk.to_python
        found = _marks(space).filter(id__in=marks).values_list("item_pk", flat=True)
        Repair(space, version, {to_python(pk) for pk in found if pk}).run()
    for begin in range(0, len(marks), MARKS_AT_ONCE):
        done = _marks(space).filter(id__in=marks[begin : begin + MARKS_AT_ONCE])
        if version == space.embedder.version:
            freshness.note(space, done)
        done.delete()
    return len(marks)


def _has_much_to_do(space: SpaceDefinition, version: str, marks: int) -> bool:
    """Return whether a build is less work: everything is in every list, or much changed."""
    stored = space.list_model.objects.using(space.using).count()
    everything = settings.stored_neighbours + 1
    if stored <= everything and _count_items(space, version) <= everything:
        return True
    return marks > max(BUILD_ABOVE, stored // 10) and not tiles.is_open(space)


def _served_version(space: SpaceDefinition) -> str:
    """Return the version shoppers see; the first vectors of a space decide it."""
    rows = Space.objects.using(space.using).filter(label=space.label)
    version = rows.values_list("served_version", flat=True).first()
    if version == "":
        rows.update(served_version=space.embedder.version)
    return version or space.embedder.version


def switch_when_ready(space: SpaceDefinition) -> bool:
    """Serve the encoder's new version once every photo has it. Returns whether it switched.

    Until then the old lists stay as they are. All new lists come in the same transaction; in
    a large space they are built in tiles, and until a product's is there it is searched live.
    """
    with transaction.atomic(using=space.using):
        version = space.embedder.version
        served = _served_version(space) if _lock(space) else version
        if served == version or not _has_whole(space, version):
            return False
        _build(space, version)
        # matches mean the same from the first page on
        calibrating.calibrate(space, version)
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
