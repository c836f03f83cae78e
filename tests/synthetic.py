"""Many products with made-up vectors, for what only shows in large catalogues."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from django.db import connection
from django.utils.timezone import now

from imgrec.models import Space
from imgrec.spaces import SpaceDefinition

MANY = 1_000


@contextmanager
def without_indexes(model: Any) -> Iterator[None]:
    """Make a model's indexes once the rows are in: many times quicker."""
    names = [index.name for index in model._meta.indexes]
    told = "SELECT indexname, indexdef FROM pg_indexes WHERE indexname = ANY(%s)"
    with connection.cursor() as cursor:
        cursor.execute(told, [names])
        there = cursor.fetchall()  # a test may have dropped one
        for name, _definition in there:
            cursor.execute(f'DROP INDEX "{name}"')
    yield
    with connection.cursor() as cursor:
        for _name, definition in there:
            cursor.execute(definition)


def fill(space: SpaceDefinition, products: list[Any], *, clusters: int = 30, seed: int = 0) -> Any:
    """Store clustered unit vectors for these rows, as if embedded; return them as stored.

    Shape (products, dimensions), rounded to halves. Products look alike within their cluster, as in
    a real shop; no lists are built.
    """
    random = np.random.default_rng(seed)
    size = space.embedder.dimensions
    centres = random.normal(size=(clusters, size))
    around = random.integers(clusters, size=len(products))
    vectors = centres[around] + 0.5 * random.normal(size=(len(products), size))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors.astype(np.float16).astype(np.float64)
    made = space.embedding_model
    with without_indexes(made) if len(products) >= MANY else nullcontext():
        made.objects.bulk_create(
            made(
                owner=product,
                vector=vector,
                source_name=str(getattr(product, space.source)),
                sha256="0" * 64,
                version=space.embedder.version,
                job_id=0,
                embedded_at=now(),
            )
            for product, vector in zip(products, vectors, strict=True)
        )
    Space.objects.filter(label=space.label).update(served_version=space.embedder.version)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return vectors
