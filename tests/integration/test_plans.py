"""What PostgreSQL makes of every public query when the shop is large: each by its index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count
from pytest_django import Settings

from imgrec import similar_products
from imgrec.spaces import SpaceDefinition, space_by_label
from tests import large
from tests.testapp.models import Item, Product

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(300)]


def space_of(label: str) -> SpaceDefinition:
    found = space_by_label(label)
    assert found is not None
    return found


PRODUCTS, ITEMS = "testapp.product.embedding", "testapp.itemphoto.embedding"


@pytest.fixture(
    scope="module",
    autouse=True,
    params=[
        pytest.param(large.Size(20_000, 6_000, 2), id="20k"),
        pytest.param(large.Size(100_000, 10_000, 3), id="100k", marks=pytest.mark.full),
    ],
)
def shop(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any
) -> Iterator[large.Size]:
    """A small shop, where it has to be quick, and a large one."""
    with django_db_blocker.unblock():
        large.fill(space_of(PRODUCTS), space_of(ITEMS), request.param)
        yield request.param
        large.empty()


def index(model: Any, kind: str) -> str:
    """Return the name of a table's index of that kind."""
    return next(each.name for each in model._meta.indexes if each.name.endswith(kind))


HNSW = index(space_of(PRODUCTS).embedding_model, "hnsw")
HNSW_OF_ITEMS = index(space_of(ITEMS).embedding_model, "hnsw")
GIN = index(space_of(PRODUCTS).list_model, "gin")
TABLES = {
    "testapp_product",
    "testapp_productembedding",
    "testapp_productembeddinglist",
    "testapp_item",
    "testapp_itemphoto",
    "testapp_itemphotoembedding",
}


def executed(work: Callable[[], Any]) -> list[str]:
    """Return the nodes of all plans of some work that were executed, under its own settings."""
    nodes: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if re.match(r"\s*(SELECT (?!set_config)|WITH|\()", sql) and params:
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {sql}", params)
                nodes.extend(line for (line,) in cursor.fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        work()
    assert nodes
    return [node.strip() for node in nodes if "actual rows" in node]


def scanned(nodes: list[str]) -> set[str]:
    """Return the large tables that were read from one end to the other."""
    whole = [re.search(r"Seq Scan on (\w+)", node) for node in nodes if _reads_far(node)]
    return {found[1] for found in whole if found} & TABLES


def _reads_far(node: str) -> bool:
    """Return whether more than a capped count comes out of a scan."""
    return _reads(node) > 5_001


def _reads(node: str) -> float:
    found = re.search(r"actual rows=([\d.]+)", node)
    return float(found[1]) if found else 0.0


def similar(model: Any, way: str, **options: Any) -> Callable[[], Any]:
    def search() -> None:
        found = similar_products(model(pk=4_321), **options)
        assert (len(found), found.way) == (options.get("limit", 8), way)

    return search


def rows(queryset: Any, count: int = 8) -> Callable[[], Any]:
    def read() -> None:
        assert len(queryset()) == count

    return read


SEED = Product(pk=4_321)
ITEM = Item(pk=4_321)
UNLISTED = Product(pk=9_010)


def unlisted(way: str, **options: Any) -> Callable[[], Any]:
    def search() -> None:
        found = similar_products(UNLISTED, **options)
        assert (len(found), found.way) == (options.get("limit", 8), way)

    return search


def next_page(way: str, **options: Any) -> Callable[[], Any]:
    def search() -> None:
        page = similar_products(UNLISTED, **options)
        found = similar_products(UNLISTED, after=page.next, **options)
        assert (len(found), found.way) == (8, way)
        assert not {each.pk for each in found} & {each.pk for each in page}

    return search


def several() -> None:
    found = similar_products([SEED, UNLISTED], less_like=Product(pk=9))
    assert (len(found), found.way) == (8, "hnsw")


QUERIES: dict[str, tuple[Callable[[], Any], str]] = {
    "a stored list": (similar(Product, "list"), "testapp_productembeddinglist_pkey"),
    "the products of a list": (similar(Product, "list"), "testapp_product_pkey"),
    "reverse look-up": (
        lambda: list(space_of(PRODUCTS).list_model.objects.filter(neighbours__overlap=[77])),
        GIN,
    ),
    "live by the index": (unlisted("hnsw"), HNSW),
    "live by the index, filtered": (
        unlisted("hnsw", among=Product.objects.filter(price__lt=500)),
        HNSW,
    ),
    "live by the index, many": (unlisted("hnsw", limit=64), HNSW),
    "live by the index, with a count": (
        unlisted("hnsw", among=Product.objects.annotate(tagged=Count("tags"))),
        HNSW,
    ),
    "live by the index, of several photos": (similar(Item, "hnsw"), HNSW_OF_ITEMS),
    "one of each group": (unlisted("hnsw", group_by="price"), HNSW),
    "one of each group over a key": (unlisted("hnsw", group_by="parent__title"), HNSW),
    "near-duplicates folded": (unlisted("hnsw", fold=0.99), HNSW),
    "diverse": (unlisted("hnsw", diversity=0.5), HNSW),
    "several products": (several, HNSW),
    "the next page": (next_page("hnsw"), HNSW),
    "the next page of groups": (next_page("hnsw", group_by="price"), HNSW),
    "similar_to": (rows(lambda: Product.objects.similar_to(SEED)[:8]), HNSW),
    "similar_to, second page": (rows(lambda: Product.objects.similar_to(SEED)[8:16]), HNSW),
    "similar_to, filtered": (
        rows(lambda: Product.objects.filter(price__lt=500).similar_to(SEED)[:8]),
        HNSW,
    ),
    "similar_to, filtered later": (
        rows(lambda: Product.objects.similar_to(SEED).filter(price__lt=500)[:8]),
        HNSW,
    ),
    "similar_to, values": (
        rows(lambda: Product.objects.similar_to(SEED).values("pk", "similarity")[:8]),
        HNSW,
    ),
    "similar_to, of several photos": (
        rows(lambda: Item.objects.similar_to(ITEM)[:8]),
        HNSW_OF_ITEMS,
    ),
    "similar_to, of several photos, second page": (
        rows(lambda: Item.objects.similar_to(ITEM)[8:16]),
        HNSW_OF_ITEMS,
    ),
    "similar_to, of several photos, filtered": (
        rows(lambda: Item.objects.filter(stock__gt=0).similar_to(ITEM).values("pk")[:8]),
        HNSW_OF_ITEMS,
    ),
}


@pytest.mark.parametrize("name", QUERIES)
def test_an_index_answers(name: str) -> None:
    work, expected = QUERIES[name]
    nodes = executed(work)
    assert any(expected in node and "never executed" not in node for node in nodes), nodes
    assert scanned(nodes) == set(), nodes


@pytest.mark.parametrize("model", [Product, Item])
def test_a_floor_of_similarity_does_not_send_the_index_on(model: Any) -> None:
    """It would go on for what is not there: nothing is as similar as that."""
    found = model.objects.similar_to(model(pk=4_321), min_similarity=0.999)
    nodes = executed(rows(lambda: found[:8], 0))
    scans = [node for node in nodes if "_hnsw" in node and "never executed" not in node]
    assert scans
    assert not any(_reads(node) > 100 for node in scans), scans


@pytest.mark.parametrize("few", [1, 30])
def test_few_to_choose_from_are_where_it_starts(shop: large.Size, few: int) -> None:
    """Whatever the filter reads, vectors are read of the eligible products alone."""
    among = Product.objects.filter(price__lt=few)
    nodes = executed(unlisted("exact", among=among))
    assert not any(HNSW in node and "never executed" not in node for node in nodes)
    assert "testapp_productembedding" not in scanned(nodes), nodes
    is_seed = UNLISTED.pk % 1000 < few
    by_key = [node for node in nodes if "testapp_productembedding_pkey" in node]
    assert any(_reads(node) == few * shop.products / 1000 - is_seed for node in by_key), by_key


def test_of_several_photos_few_to_choose_from(settings: Settings) -> None:
    nodes = executed(similar(Item, "exact", among=Item.objects.filter(pk__lt=3_000)))
    assert scanned(nodes) == set(), nodes


def test_an_index_that_gives_up_is_no_dead_end(settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "ef_search": 10, "exact_below": 1_000}
    some = Product.objects.filter(price__lt=100)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL hnsw.max_scan_tuples = 1")
        cursor.execute("SET LOCAL enable_sort = off")  # as if the shop were larger
    nodes = executed(unlisted("exact", among=some, limit=64))
    assert any(HNSW in node and "never executed" not in node for node in nodes)
