"""A large shop, filled by COPY and indexed afterwards, for what the planner does at such a size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection

from imgrec.models import Space
from imgrec.spaces import SpaceDefinition
from tests.synthetic import without_indexes

NOW = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class Size:
    """So many products of a photo each, every other with a list; items of several photos each."""

    products: int
    items: int
    photos_each: int


def fill(products: SpaceDefinition, items: SpaceDefinition, size: Size) -> None:
    """Fill the test shop."""
    photos = size.items * size.photos_each
    _copy(
        "testapp_product (id, title, photo, published, stock, price)",
        ((i, f"P{i}", f"{i}.png", True, 1, i % 1000) for i in range(1, size.products + 1)),
    )
    _copy(
        "testapp_item (id, title, published, stock)",
        ((i, f"I{i}", True, 1) for i in range(1, size.items + 1)),
    )
    _copy(
        "testapp_itemphoto (id, item_id, image)",
        ((i + 1, i // size.photos_each + 1, f"{i}.png") for i in range(photos)),
    )
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '256MB'")
        for space, rows in ((products, size.products), (items, photos)):
            with without_indexes(space.embedding_model):
                _store(space, rows, size.photos_each)
        with without_indexes(products.list_model):
            _lists(cursor, products, size.products)
    for space in (products, items):
        Space.objects.filter(label=space.label).update(served_version=space.embedder.version)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def empty() -> None:
    """Take all of it away."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE testapp_product, testapp_item CASCADE")
        cursor.execute(
            "TRUNCATE testapp_productembedding, testapp_productembeddinglist,"
            " testapp_itemphotoembedding"
        )
        cursor.execute("ANALYZE")


def _vectors(space: SpaceDefinition, count: int) -> Any:
    random = np.random.default_rng(7)
    centres = random.normal(size=(500, space.embedder.dimensions))
    around = centres[random.integers(500, size=count)]
    return (around + 0.8 * random.normal(size=around.shape)).round(3)


def _store(space: SpaceDefinition, count: int, photos_each: int) -> None:
    extra = ", item_pk" if space.item else ""
    columns = f"owner_id, vector, source_name, sha256, version, job_id, embedded_at{extra}"
    told = ("0" * 64, space.embedder.version, 0, NOW)
    _copy(
        f"{space.embedding_model._meta.db_table} ({columns})",
        (
            (i, str(vector.tolist()), f"{i}.png", *told)
            + ((str((i - 1) // photos_each + 1),) if extra else ())
            for i, vector in enumerate(_vectors(space, count), 1)
        ),
    )


def _lists(cursor: Any, space: SpaceDefinition, count: int) -> None:
    cursor.execute(
        f"INSERT INTO {space.list_model._meta.db_table}"
        " (owner_id, neighbours, similarities, version, updated_at)"
        " SELECT owner, ARRAY(SELECT (owner + 7 * i) %% %s + 1 FROM generate_series(1, 12) AS i),"
        " ARRAY(SELECT 1 - i / 100.0 FROM generate_series(1, 12) AS i), %s, now()"
        " FROM generate_series(1, %s, 2) AS owner",
        [count, space.embedder.version, count],
    )


def _copy(into: str, rows: Iterable[Any]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
