"""Fills the shop's tables by binary COPY: a million products in a minute or two."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from benchmarks._vectors import CHUNK, categories, chunks
from benchmarks.shop import binary
from benchmarks.shop.indexes import build_index, drop_index

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's
SHARES = 10_000


@dataclass(frozen=True)
class Filled:
    """What was filled in, and the seconds it took."""

    products: int
    rows_seconds: float
    index_seconds: float


def fill(n: int, *, seed: int = 0, index: bool = True) -> Filled:
    """Replace all there is by ``n`` products, keys 1 to ``n``, with vectors and no lists.

    Vectors are those of ``clustered(n, seed=seed)`` in this order, rounded to halves. The
    index is dropped before and, unless told otherwise, built after; statistics are fresh.
    """
    from benchmarks.shop.models import Product

    started_at = time.perf_counter()
    vectors = Product.embedding.related.related_model
    drop_index()
    _empty(Product, vectors)
    owned = ["id", "title", "photo", "published", "share", "category"]
    binary.copy(Product._meta.db_table, owned, _products(n, seed))
    columns = ["owner_id", "vector", "source_name", "sha256", "version", "job_id", "embedded_at"]
    binary.copy(vectors._meta.db_table, columns, _vectors(n, seed, _version()))
    _serve()
    _vacuum()
    rows_seconds = time.perf_counter() - started_at
    return Filled(n, rows_seconds, build_index() if index else 0.0)


def shares_of(n: int, *, seed: int = 0) -> Any:
    """Return the ``share`` of products 1 to ``n``, (n,)."""
    return np.random.default_rng([seed, 2]).permutation(n) * SHARES // n


def fill_lists(neighbours: Any, similarities: Any) -> None:
    """Replace all stored lists: integer keys and cosines (n, length) of products 1 to n."""
    from imgrec.spaces import all_spaces

    lists = all_spaces()[0].list_model
    _empty(lists)
    columns = ["owner_id", "neighbours", "similarities", "version", "updated_at"]
    binary.copy(lists._meta.db_table, columns, _lists(neighbours, similarities, _version()))
    _vacuum()


def _products(n: int, seed: int) -> Iterator[bytes]:
    """Yield the products' rows; the categories are those the vectors are drawn from."""
    shares = shares_of(n, seed=seed)
    kinds = categories(n, seed=seed)
    for start in range(0, n, CHUNK):
        part = slice(start, start + CHUNK)
        count = len(kinds[part])
        keys = np.arange(start, start + count) + 1
        yield binary.rows(
            {
                "id": binary.integers(keys),
                "title": binary.texts("Product no. %08d", keys),
                "photo": binary.texts("products/%08d.jpg", keys),
                "published": binary.same(b"\1", count),
                "share": binary.integers(shares[part], ">i4"),
                "category": binary.integers(kinds[part], ">i4"),
            }
        )


def _vectors(n: int, seed: int, version: bytes) -> Iterator[bytes]:
    start = 0
    for rows in chunks(n, seed=seed):
        count = len(rows)
        keys = np.arange(start, start + count) + 1
        yield binary.rows(
            {
                "owner": binary.integers(keys),
                "vector": binary.halfvecs(rows),
                "source_name": binary.texts("products/%08d.jpg", keys),
                "sha256": binary.texts("%064x", keys),
                "version": binary.same(version, count),
                "job": binary.integers(np.zeros(count)),
                "embedded_at": binary.integers(np.full(count, _now())),
            }
        )
        start += count


def _lists(neighbours: Any, similarities: Any, version: bytes) -> Iterator[bytes]:
    for start in range(0, len(neighbours), CHUNK):
        part = slice(start, start + CHUNK)
        count = len(neighbours[part])
        yield binary.rows(
            {
                "owner": binary.integers(np.arange(start, start + count) + 1),
                "neighbours": binary.arrays(neighbours[part]),
                "similarities": binary.arrays(np.asarray(similarities[part], float)),
                "version": binary.same(version, count),
                "updated_at": binary.integers(np.full(count, _now())),
            }
        )


def _now() -> int:
    return int((datetime.now(UTC) - EPOCH).total_seconds() * 1_000_000)


def _version() -> bytes:
    from imgrec.spaces import all_spaces

    return all_spaces()[0].embedder.version.encode()


def _serve() -> None:
    from imgrec.models import Space

    Space.objects.update(served_version=_version().decode(), is_served=True)


def _empty(*models: Any) -> None:
    from django.db import connection

    tables = ", ".join(f'"{model._meta.db_table}"' for model in models)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")


def _vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
