"""The hashes that are known already."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from imgrec.models import PhotoHash
from imgrec.spaces import SpaceDefinition


def rows_of(space: SpaceDefinition) -> QuerySet[PhotoHash]:
    """Return the hashes of a space."""
    return PhotoHash.objects.using(space.using).filter(space=space.label)


def hashes_by_item(space: SpaceDefinition, items: Collection[Any]) -> dict[Any, list[list[int]]]:
    """Return the hashes of each of these products' photos."""
    column = space.item_column
    vectors = space.embedding_model.objects.using(space.using)
    pairs = vectors.filter(**{f"{column}__in": items}).values_list("owner_id", column)
    owners = {str(owner): item for owner, item in pairs}
    found: dict[Any, list[list[int]]] = {}
    rows = rows_of(space).filter(object_pk__in=list(owners))
    for owner, hashes in rows.values_list("object_pk", "hashes"):
        found.setdefault(owners[owner], []).append(hashes)
    return found
