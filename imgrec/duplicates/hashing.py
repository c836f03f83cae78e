"""Hashes of all photos of a space, in batches: what is there already is not read again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast

from imgrec.duplicates.hashes import SIDE, hashes_of
from imgrec.duplicates.known import rows_of
from imgrec.evaluation.copies import picture_of
from imgrec.models import PhotoHash
from imgrec.spaces import SpaceDefinition

ROWS_AT_ONCE = 100
# Photos are decoded no smaller than that: four pixels for each of a hash's.
SHORT_SIDE = 4 * SIDE


def missing(space: SpaceDefinition) -> QuerySet[Any]:
    """Return the vectors whose photo has no hash, or one of another file."""
    known = PhotoHash.objects.filter(
        space=space.label,
        object_pk=Cast(OuterRef("owner_id"), TextField()),
        sha256=OuterRef("sha256"),
    )
    rows: QuerySet[Any] = space.embedding_model.objects.using(space.using)
    return rows.filter(~Exists(known)).order_by("owner_id")


def hash_all(
    space: SpaceDefinition,
    watch: Callable[[int], object] = lambda done: None,
    *,
    until: float = float("inf"),
) -> bool:
    """Hash what has no hash yet; return whether all have theirs.

    ``watch`` is told how many were done, ``until``: the ``time.monotonic()`` to stop at.
    """
    done, after = 0, None
    while time.monotonic() < until:
        rows = missing(space) if after is None else missing(space).filter(owner_id__gt=after)
        batch = list(rows.values_list("owner_id", "source_name", "sha256")[:ROWS_AT_ONCE])
        if not batch:
            _forget_gone(space)
            return True
        _keep([_hashed(space, *row) for row in batch], space)
        done, after = done + len(batch), batch[-1][0]
        watch(done)
    return False


def _keep(made: list[PhotoHash], space: SpaceDefinition) -> None:
    PhotoHash.objects.using(space.using).bulk_create(
        made,
        update_conflicts=True,
        unique_fields=["space", "object_pk"],
        update_fields=["sha256", "hashes"],
    )


def _hashed(space: SpaceDefinition, owner: Any, name: str, digest: str) -> PhotoHash:
    picture = picture_of(space, name, short_side=SHORT_SIDE)
    found = hashes_of(picture) if picture else []
    return PhotoHash(space=space.label, object_pk=str(owner), sha256=digest, hashes=found)


def _forget_gone(space: SpaceDefinition) -> None:
    """Forget the hashes of photos that have no vector any more."""
    vectors = space.embedding_model.objects.using(space.using).annotate(
        _key=Cast("owner_id", TextField())
    )
    rows_of(space).filter(~Exists(vectors.filter(_key=OuterRef("object_pk")))).delete()
