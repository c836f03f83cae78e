"""The vectors' HNSW index: dropped for a load, built anew with the parameters to be measured."""

from __future__ import annotations

import time
from typing import Any


def drop_index() -> None:
    """Drop the index, if it is there."""
    _execute(f'DROP INDEX IF EXISTS "{hnsw().name}"')


def build_index(*, m: int | None = None, ef_construction: int | None = None) -> float:
    """Build the index anew and return the seconds; parameters default to the model's own."""
    index, table = hnsw(), _table()
    drop_index()
    started_at = time.perf_counter()
    _execute(
        f'CREATE INDEX "{index.name}" ON "{table}" USING hnsw (vector halfvec_cosine_ops)'
        f" WITH (m = {m or index.m}, ef_construction = {ef_construction or index.ef_construction})"
    )
    return time.perf_counter() - started_at


def index_bytes() -> int:
    """Return the index's size on disk."""
    return int(_execute("SELECT pg_relation_size(%s::regclass)", [f'"{hnsw().name}"']))


def hnsw() -> Any:
    """Return the index as the model has it."""
    from pgvector.django import HnswIndex

    from benchmarks.shop.models import Product

    indexes = Product.embedding.related.related_model._meta.indexes
    return next(index for index in indexes if isinstance(index, HnswIndex))


def _table() -> str:
    from benchmarks.shop.models import Product

    return str(Product.embedding.related.related_model._meta.db_table)


def _execute(statement: str, values: Any = None) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0] if cursor.description else None
