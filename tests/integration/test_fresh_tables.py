"""A catalogue imported just now: pages are quick although PostgreSQL knows nothing of it yet."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection

from imgrec import neighbours, similar_products
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.synthetic import fill
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db

COUNT = 500
# Products looked up of a list: far from one after the other of the catalogue.
MOST_LOOPS = 100


@pytest.fixture
def space() -> SpaceDefinition:
    found = space_by_label("testapp.product.embedding")
    assert found is not None
    return found


@pytest.fixture
def imported(space: SpaceDefinition) -> list[Product]:
    """Products with lists, in tables that nobody has analysed since they were made."""
    made = Product.objects.bulk_create(Product(photo=f"{i}.png") for i in range(COUNT))
    fill(space, made)
    neighbours.rebuild(space)
    with connection.cursor() as cursor:
        for model in (Product, space.embedding_model, space.list_model):
            cursor.execute(
                "DELETE FROM pg_statistic WHERE starelid = %s::regclass", [model._meta.db_table]
            )
            cursor.execute(
                "UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = %s::regclass",
                [model._meta.db_table],
            )
    return made


def test_nothing_is_asked_once_for_each_product(imported: list[Product]) -> None:
    loops: list[int] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "testapp_productembeddinglist" in sql:
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {sql}", params)
                plan = " ".join(line for (line,) in cursor.fetchall())
                loops.extend(map(int, re.findall(r"loops=(\d+)", plan)))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        found = similar_products(imported[7])
    assert (len(found), found.way) == (8, "list")
    assert loops
    assert max(loops) <= MOST_LOOPS
