"""The photos of products as they were embedded: where each is, what it was, its vector."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import QuerySet

from imgrec.served import served_version
from imgrec.spaces import SpaceDefinition
from imgrec.topk import Matrix, unit
from imgrec.visibility import visible


@dataclass(frozen=True, eq=False)
class SeenPhoto:
    """A photo of the served version; ``key``: of the row that owns it, ``vector``: a unit row."""

    key: Any
    name: str
    digest: str
    vector: Matrix


def seen_photos(
    space: SpaceDefinition, items: Iterable[Any], using: str, *, hidden_too: bool = False
) -> dict[Any, list[SeenPhoto]]:
    """Return the photos of items by the items' keys, oldest first; none of hidden or unknown ones.

    ``hidden_too``: whoever may see them, for a merchant. One SELECT.
    """
    rows: QuerySet[Any] = space.embedding_model._base_manager.using(using).filter(
        **{f"{space.item_column}__in": _allowed(space, items, using, hidden_too=hidden_too)},
        # of other versions a map would explain another vector
        version=served_version(space),
    )
    found: dict[Any, list[SeenPhoto]] = {}
    columns = ("owner_id", "source_name", "sha256", "vector")
    ordered = rows.filter(version=space.embedder.version).order_by("owner_id")
    for item, key, name, digest, vector in ordered.values_list(_item(space), *columns):
        halves = np.asarray(vector, dtype=np.float32)[None]
        found.setdefault(item, []).append(SeenPhoto(key, name, digest, unit(halves)[0]))
    return found


def named_photos(
    space: SpaceDefinition, items: Iterable[Any], using: str
) -> dict[Any, tuple[str, str]]:
    """Return name and digest of every photo of items, by the key of the row that owns it.

    Of those who are shown already: asks nothing about who may see them. One SELECT.
    """
    rows: QuerySet[Any] = space.embedding_model._base_manager.using(using).filter(
        **{f"{space.item_column}__in": list(items)}, version=space.embedder.version
    )
    told = rows.values_list("owner_id", "source_name", "sha256")
    return {key: (name, digest) for key, name, digest in told}


def _allowed(
    space: SpaceDefinition, items: Iterable[Any], using: str, *, hidden_too: bool
) -> QuerySet[Any]:
    every = space.item_model._base_manager.using(using).filter(pk__in=list(items))
    return (every if hidden_too else visible(space, every)).order_by().values("pk")


def _item(space: SpaceDefinition) -> str:
    return f"owner__{space.item_field.attname}" if space.item else "owner_id"
