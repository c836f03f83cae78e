"""The SQL somebody would write by hand for this shop, with pgvector and nothing else."""

from __future__ import annotations

from typing import Any

from benchmarks._filters import where

_COLUMNS = "p.id, p.title, p.photo, p.published, p.share, p.category"
_SEED = "(SELECT vector FROM shop_productembedding WHERE owner_id = %s)"
_SEARCH = """
SELECT {columns}, e.vector <=> {seed} AS distance
FROM shop_productembedding e JOIN shop_product p ON p.id = e.owner_id
WHERE {where} AND p.id <> %s AND e.version = %s
ORDER BY {order} LIMIT %s
"""
_SETTINGS = (
    "SELECT set_config('hnsw.ef_search', %s, true), set_config('hnsw.iterative_scan', %s, true)"
)


def search(seed: Any, filters: dict[str, Any], limit: int, *, exact: bool = False) -> list[Any]:
    """Return rows of all the product's columns and the distance, the nearest first.

    By the index unless ``exact``: then in a form the index cannot serve.
    """
    from django.db import connection

    from imgrec.spaces import all_spaces

    condition, values = where(filters)
    order = f"(e.vector <=> {_SEED}) + 0" if exact else f"e.vector <=> {_SEED}"
    statement = _SEARCH.format(columns=_COLUMNS, seed=_SEED, where=condition, order=order)
    version = all_spaces()[0].embedder.version
    with connection.cursor() as cursor:
        cursor.execute(statement, [seed.pk, *values, seed.pk, version, seed.pk, limit])
        return list(cursor.fetchall())


def search_under_settings(
    seed: Any,
    filters: dict[str, Any],
    limit: int,
    ef_search: int,
    *,
    scan: str = "strict_order",
    exact: bool = False,
) -> list[Any]:
    """Do so in a transaction of its own, with the settings of a live search, gone afterwards.

    ``scan`` is ``hnsw.iterative_scan``; in ``relaxed_order`` rows may come out of order.
    """
    from django.db import connection, transaction

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_SETTINGS, [str(ef_search), scan])
        rows = search(seed, filters, limit, exact=exact)
        transaction.set_rollback(True)
    return rows


def queryset_under_settings(
    seed: Any, filters: dict[str, Any], limit: int, ef_search: int
) -> list[Any]:
    """Do so with Django's querysets: instances, without visibility of the seed or its version."""
    from django.db import connection, transaction
    from django.db.models.expressions import RawSQL
    from pgvector.django import CosineDistance

    from imgrec.spaces import all_spaces

    version = all_spaces()[0].embedder.version
    vector: Any = RawSQL(_SEED, [seed.pk])  # noqa: S611 - ours
    rows = type(seed).objects.filter(published=True, embedding__version=version, **filters)
    rows = rows.exclude(pk=seed.pk).annotate(distance=CosineDistance("embedding__vector", vector))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_SETTINGS, [str(ef_search), "strict_order"])
        found = list(rows.order_by("distance")[:limit])
        transaction.set_rollback(True)
    return found
