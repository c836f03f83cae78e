"""What a search sends: few statements, counted whole, and each of them told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.dispatch import receiver
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from imgrec import indexing, similar_products, ways
from imgrec.pool import Pool, Search
from imgrec.signals import searched
from tests.shapes import SHAPES, Shape
from tests.testapp.models import Product

pytestmark = pytest.mark.usefixtures("fresh_index")

HUES = [0.0, 0.02, 0.31, 0.33, 0.66]
MOST = 5
NAMES = ["integer key", "two fields, first", "many photos", "not our model", "multi-table child"]
BY_NAME = {shape.name: shape for shape in SHAPES}
TAG = "{% load imgrec %}{% similar_products product limit=3 among=among %}"


def sent(work: Callable[[], Any]) -> list[str]:
    """Return every statement of some work, those of transactions and savepoints among them."""
    with CaptureQueriesContext(connection) as captured:
        work()
    return [query["sql"] for query in captured]


@pytest.fixture(params=NAMES)
def shape(request: pytest.FixtureRequest) -> Shape:
    """Shops with one space and with two, with one photo a product and with many."""
    return BY_NAME[request.param]


def shop(shape: Shape) -> list[Any]:
    """Two reds, two greens and a blue, indexed; the process has served the model before."""
    made = [shape.make(hue) for hue in HUES]
    indexing.work()
    similar_products(made[0])
    return made


def search(shape: Shape, seed: Any, how: str, settings: Settings) -> Callable[[], Any]:
    """Return a search that has to be live."""
    lists = shape.space.list_model.objects
    if how.startswith("no list"):
        lists.all().delete()
    else:  # too short, and not said to be whole
        settings.IMGREC = {**settings.IMGREC, "refill_below": 1}
        for each in lists.all():
            lists.filter(pk=each.pk).update(
                neighbours=each.neighbours[:1], similarities=each.similarities[:1]
            )
    if how.endswith("hnsw"):
        settings.IMGREC = {**settings.IMGREC, "exact_below": 1}
    among = shape.item.objects.filter(stock__gt=0)

    def searched_live() -> None:
        found = similar_products(seed, limit=3, among=among)
        assert (len(found), found.way) == (3, how.split(", ")[1])

    return searched_live


HOW = ["no list, exact", "no list, hnsw", "short list, exact", "short list, hnsw"]


@pytest.mark.django_db
@pytest.mark.parametrize("how", HOW)
def test_inside_the_hosts_transaction(shape: Shape, how: str, settings: Settings) -> None:
    statements = sent(search(shape, shop(shape)[0], how, settings))
    assert len(statements) <= MOST, statements
    assert statements[0].startswith("SAVEPOINT")
    assert statements[-1].startswith("ROLLBACK TO SAVEPOINT")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", HOW)
def test_in_autocommit(shape: Shape, how: str, settings: Settings) -> None:
    statements = sent(search(shape, shop(shape)[0], how, settings))
    assert len(statements) <= MOST, statements
    assert sum(each.startswith("BEGIN") for each in statements) == 1
    assert "ROLLBACK" in statements


@pytest.mark.django_db
def test_the_tag_with_all_it_renders(shape: Shape) -> None:
    made = shop(shape)
    shape.space.list_model.objects.all().delete()
    context = Context({"product": made[0], "among": shape.item.objects.filter(stock__gt=0)})
    statements = sent(lambda: Template(TAG).render(context))
    assert len(statements) <= MOST, statements


@pytest.mark.django_db(transaction=True)
def test_a_stored_list_is_one_statement_in_autocommit() -> None:
    made = shop(BY_NAME["integer key"])
    assert len(sent(lambda: similar_products(made[0], limit=3))) == 1


@pytest.mark.django_db
def test_the_queryset_is_one_statement_under_its_settings() -> None:
    made = shop(BY_NAME["integer key"])
    statements = sent(lambda: list(Product.objects.similar_to(made[0])[:3]))
    assert [each.split()[0] for each in statements] == ["SAVEPOINT", "SELECT", "ROLLBACK"]


@pytest.mark.django_db
def test_an_index_that_gives_too_few_costs_one_more(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMGREC = {**settings.IMGREC, "exact_below": 1}
    made = shop(BY_NAME["integer key"])
    pool = Search.pool

    def gives_up(self: Search, take: int, *, exact: bool = False) -> Pool:
        found = pool(self, take, exact=exact)
        return found if exact else Pool("hnsw", found.eligible, found.served)

    monkeypatch.setattr(Search, "pool", gives_up)
    BY_NAME["integer key"].space.list_model.objects.all().delete()
    assert len(sent(lambda: similar_products(made[0], limit=3))) == MOST + 1


# Told of


@pytest.mark.django_db
def test_each_search_is_told_of_and_counted(settings: Settings) -> None:
    made = shop(BY_NAME["integer key"])
    heard: list[dict[str, Any]] = []

    @receiver(searched)
    def listen(sender: Any, **told: Any) -> None:
        heard.append({"sender": sender, **told})

    label = "testapp.product.embedding"
    before = ways.taken()
    similar_products(made[0])
    BY_NAME["integer key"].space.list_model.objects.all().delete()
    assert similar_products(made[0]).eligible == 4
    settings.IMGREC = {**settings.IMGREC, "exact_below": 1}
    assert similar_products(made[0], limit=4).eligible == 2, "counted no further than it matters"
    similar_products(Product.objects.create(title="New"))
    searched.disconnect(listen)
    assert [each["way"] for each in heard] == ["list", "exact", "hnsw", "none"]
    assert [each["eligible"] for each in heard] == [None, 4, 2, 0]
    assert {each["space"] for each in heard} == {label}
    assert {each["sender"] for each in heard} == {Product}
    assert all(0 < each["seconds"] < 60 for each in heard)
    after = ways.taken()
    for way in ("list", "exact", "hnsw", "none"):
        assert after[label, way] == before.get((label, way), 0) + 1


@pytest.mark.django_db
def test_a_receiver_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    made = shop(BY_NAME["integer key"])

    @receiver(searched)
    def breaks(sender: Any, **told: Any) -> None:
        raise RuntimeError("no statsd here")

    try:
        assert len(similar_products(made[0])) == 4
    finally:
        searched.disconnect(breaks)
    assert "no statsd here" in caplog.text
