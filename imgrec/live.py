"""Live search: exact among few eligible products, by the HNSW index among many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import QuerySet, Subquery

from imgrec.conf import settings
from imgrec.guest import with_settings
from imgrec.queryset import nearest, search_settings
from imgrec.results import SimilarProducts
from imgrec.served import served_version
from imgrec.spaces import SpaceDefinition
from imgrec.visibility import visible

# Photos of the seed that are searched by, the oldest first.
SEED_PHOTOS = 8


def similar_to_seed(
    space: SpaceDefinition, seed: models.Model, rows: QuerySet[Any], limit: int, least: float
) -> SimilarProducts:
    """Search by a product's own vectors; empty when it is hidden or has none."""
    shown = visible(space, space.item_model._base_manager.all()).filter(pk=space.item_key(seed))
    photos = space.embedding_model.objects.using(rows.db).filter(
        version=served_version(space), **{f"{space.item_column}__in": shown.values("pk")}
    )
    vectors = [
        Subquery(space.embedding_model.objects.filter(pk=pk).values("vector")[:1])
        for pk in photos.order_by("pk").values_list("pk", flat=True)[:SEED_PHOTOS]
    ]
    if not vectors:
        return SimilarProducts(space=space.label)
    return similar_to_vectors(space, vectors, rows, limit, least)


def similar_to_vectors(
    space: SpaceDefinition, vectors: Sequence[Any], rows: QuerySet[Any], limit: int, least: float
) -> SimilarProducts:
    """Search by vectors, each (dimensions,) or a subquery; a product's best one counts."""
    eligible = _count_eligible(space, rows)
    way = "exact" if eligible <= settings.exact_below or space.item else "hnsw"
    found = _search(space, vectors, rows, limit, exact=way == "exact")
    if way == "hnsw" and len(found) < limit:
        way, found = "exact", _search(space, vectors, rows, limit, exact=True)
    near = [product for product in found if product.similarity >= least]
    return SimilarProducts(near, space.label, way)


def _count_eligible(space: SpaceDefinition, rows: QuerySet[Any]) -> int:
    """Count the products to choose from, no further than it matters."""
    return len(rows.order_by().values("pk")[: settings.exact_below + 1])


def _search(
    space: SpaceDefinition, vectors: Sequence[Any], rows: QuerySet[Any], limit: int, *, exact: bool
) -> list[Any]:
    """Return the nearest by any of the vectors: each one's nearest hold all that can win."""
    best: dict[Any, Any] = {}
    with with_settings(rows.db, **({} if exact else search_settings())):
        for vector in vectors:
            for product in nearest(rows, space, vector, exact=exact)[:limit]:
                known = best.get(product.pk)
                if known is None or product.distance < known.distance:
                    best[product.pk] = product
    return sorted(best.values(), key=lambda each: (each.distance, each.pk))[:limit]
