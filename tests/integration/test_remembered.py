"""Statements remembered from page to page: the same answers, and only where nothing can differ."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Manager, Prefetch, Q, QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils.functional import lazy

from imgrec import indexing, remembered, similar_products
from imgrec.spaces import space_by_label
from tests.pictures import upload
from tests.shapes import SHAPES, Shape
from tests.testapp.models import Product, Tag

pytestmark = pytest.mark.django_db

HUES = [0.0, 0.02, 0.2, 0.31, 0.33, 0.66]


@pytest.fixture
def products() -> list[Product]:
    made = [Product.objects.create(title=f"{hue}", photo=upload(hue)) for hue in HUES]
    indexing.work()
    return made


def told(found: Any) -> list[tuple[Any, ...]]:
    """Return all there is to know of a result."""
    return [
        (type(each), {k: v for k, v in vars(each).items() if k not in {"_state", "matched_image"}})
        for each in found
    ]


def learned() -> list[remembered.Remembered]:
    """Return the statements remembered."""
    return [each for each in remembered._statements.values() if each is not None]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_answers_are_the_same_remembered_or_not(shape: Shape) -> None:
    made = [shape.make(hue) for hue in HUES]
    indexing.work()
    fresh = []
    for product in made:
        remembered.forget()
        fresh.append(told(similar_products(product)))
    remembered.forget()
    again = [told(similar_products(product)) for product in made]
    assert again == fresh
    assert len(learned()) == 1
    known = similar_products(made[0])
    assert known.way == "list"
    assert {each._state.db for each in known} == {"default"}
    assert {each._state.adding for each in known} == {False}


def test_the_third_page_sends_what_the_first_sent(products: list[Product]) -> None:
    sent = []
    for product in products[:3]:
        with CaptureQueriesContext(connection) as captured:
            similar_products(product)
        (read,) = (each["sql"] for each in captured if "SAVEPOINT" not in each["sql"])
        sent.append(read.replace(f"= {product.pk}", "= …"))
    assert len(set(sent)) == 1
    assert len(learned()) == 1


def test_what_is_hidden_is_gone_at_once(products: list[Product]) -> None:
    for product in products:
        similar_products(product)
    first = similar_products(products[0])[0]
    Product.objects.filter(pk=first.pk).update(published=False)
    assert first.pk not in [each.pk for each in similar_products(products[0])]
    assert similar_products(first) == []
    products[2].delete()
    assert len(similar_products(products[0])) == len(products) - 3


def test_limits_and_floors_have_statements_of_their_own(products: list[Product]) -> None:
    for options in ({"limit": 2}, {"limit": 3}, {"min_similarity": 0.9}, {}):
        fresh = similar_products(products[0], **options)
        for product in products:
            similar_products(product, **options)
        assert told(similar_products(products[0], **options)) == told(fresh)
    assert len(learned()) == 4


def test_settings_are_heeded_at_once(products: list[Product], settings: Any) -> None:
    for product in products:
        similar_products(product)
    settings.IMGREC = {**settings.IMGREC, "min_similarity": 0.999}
    assert similar_products(products[0]) == []


@pytest.mark.parametrize(
    "among",
    [
        Product.objects.filter(tags__isnull=True),
        Product.objects.annotate(dear=F("price") * 2),
        Product.objects.defer("price"),
        Product.objects.select_for_update(),
        Product.objects.prefetch_related(Prefetch("tags", Tag.objects.all())),
        Product.objects.distinct(),
        Product.objects.filter(title__in=["0.2"]).order_by("price"),
    ],
)
def test_a_choice_of_the_shops_is_put_together_each_time(
    products: list[Product], among: QuerySet[Any]
) -> None:
    assert not remembered.is_plain(among.all())
    for product in products[:3]:
        similar_products(product, among=among.all())
    assert learned() == []


def test_filtered_products_are_remembered_by_their_filters(products: list[Product]) -> None:
    first, second = products[4].title, products[5].title
    for title in (first, second):
        among = Product.objects.exclude(title=title).filter(stock__gt=0)
        fresh = [told(similar_products(product, among=among.all())) for product in products]
        again = [told(similar_products(product, among=among.all())) for product in products]
        assert again == fresh
        assert title not in [each[1]["title"] for found in again for each in found]
    assert len({statement.sql for statement in learned()}) < len(learned()) == 2


def test_a_live_search_is_remembered_as_well(products: list[Product]) -> None:
    space = space_by_label("testapp.product.embedding")
    assert space is not None
    space.list_model.objects.all().delete()
    among = Product.objects.filter(stock__gt=0)
    fresh = [told(similar_products(product, among=among)) for product in products]
    again = [similar_products(product, among=among) for product in products]
    assert {found.way for found in again} == {"exact"}
    assert [told(found) for found in again] == fresh
    assert any("imgrec_facts" in each.sql for each in learned())
    Product.objects.filter(pk=products[1].pk).update(stock=0)
    shown = similar_products(products[0], among=among)
    assert len(shown) == len(fresh[0]) - 1
    assert products[1].pk not in [each.pk for each in shown]


def test_all_products_are_plain_whoever_says_so(products: list[Product]) -> None:
    assert remembered.is_plain(Product.objects.all())
    assert remembered.is_plain(Product.objects.all().using("default"))


@pytest.mark.parametrize("method", ["_fetch_all", "filter", "_clone"])
def test_a_queryset_with_a_will_of_its_own_is_not_plain(method: str) -> None:
    base = type(Product.objects.all())
    own = {method: lambda self, *args, **kwargs: getattr(base, method)(self, *args, **kwargs)}
    kind = type("Own", (base,), own)
    assert not remembered.is_plain(kind(Product))
    assert not remembered.gives_everything(Manager.from_queryset(kind)())


@pytest.mark.parametrize("method", ["all", "get_queryset"])
def test_a_manager_with_a_will_of_its_own_may_give_anything(method: str) -> None:
    def own(self: Any) -> QuerySet[Any]:
        return getattr(Manager, method)(self)

    assert remembered.gives_everything(Product._default_manager)
    assert remembered.gives_everything(Manager())
    assert not remembered.gives_everything(type("Own", (Manager,), {method: own})())
    one = Manager()
    setattr(one, method, lambda: own(one))
    assert not remembered.gives_everything(one)


@pytest.mark.parametrize(
    ("rule", "is_constant"),
    [
        (None, True),
        (Q(published=True), True),
        (Q(stock__gt=0) | ~Q(title__in=["a", "b"]), True),
        (Q(title=lazy(lambda: "today", str)()), False),
        (Q(stock__gt=F("price")), False),
        (Q(pk__in=Product.objects.none()), False),
        (Q(stock__in=[F("price")]), False),
    ],
)
def test_only_constant_rules_are_remembered(rule: Q | None, is_constant: bool) -> None:
    space = space_by_label("testapp.product.embedding")
    assert space is not None
    for rules in ({"visible": rule, "recommend": None}, {"visible": None, "recommend": rule}):
        assert remembered.has_constant_rules(replace(space, **rules)) is is_constant


def test_no_more_are_kept_than_are_of_use(
    products: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "MOST", 4)
    for limit in range(1, 30):
        assert len(similar_products(products[limit % 3], limit=limit)) == min(limit, 5)
    assert len(remembered._statements) + len(remembered._examples) <= 4


def test_an_instance_is_made_as_the_shop_makes_it(
    products: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    for product in products[:2]:
        similar_products(product)
    made: list[Any] = []
    from_db = Product.from_db

    def noted(cls: type[Product], *args: Any) -> Product:
        made.append(args)
        return from_db(*args)

    monkeypatch.setattr(Product, "from_db", classmethod(noted))
    assert len(similar_products(products[3])) == len(made) == 5


def test_most_pages_look_up_only_the_first_of_a_list() -> None:
    made = [Product.objects.create(photo=upload(place / 40)) for place in range(30)]
    indexing.work()
    nearest = similar_products(made[0], limit=29)
    assert len(nearest) == 29
    for hidden in (0, 3, 4, 5, 12, 26, 27, 28):
        Product.objects.filter(pk__in=[each.pk for each in nearest[:hidden]]).update(stock=0)
        for product in made[:3]:  # remembered or not
            similar_products(product, limit=3)
        found = similar_products(made[0], limit=3)
        assert told_keys(found) == told_keys(nearest[hidden : hidden + 3])
        assert found.way == "list"


def told_keys(found: Any) -> list[Any]:
    """Return the products and how similar they are."""
    return [(each.pk, each.similarity) for each in found]


def test_similar_to_is_remembered_for_a_slice(products: list[Product]) -> None:
    def ask(product: Product) -> Any:
        return Product.objects.exclude(title="0.2").similar_to(product, min_similarity=0.2)[:3]

    fresh = [told(ask(product).all()) for product in products]
    assert learned()
    with CaptureQueriesContext(connection) as captured:
        again = [told(ask(product)) for product in products]
    assert again == fresh
    assert len([each for each in learned() if "<=>" in each.sql]) == 1
    assert sum("<=>" in each["sql"] for each in captured) == len(products)


def test_what_follows_similar_to_is_heeded(products: list[Product]) -> None:
    first = products[0]
    for _ in range(3):
        ordered = Product.objects.similar_to(first)
        every = [each.pk for each in ordered]
        assert len(every) == len(products) - 1
        assert [each.pk for each in ordered[:2]] == every[:2]
        assert [each.pk for each in ordered[1:3]] == every[1:3]
        assert [each.pk for each in ordered[:4][1:3]] == every[1:3]
        assert ordered[:4][2].pk == ordered[2].pk == every[2]
        assert [each.pk for each in ordered.exclude(pk=every[0])[:2]] == every[1:3]
        assert list(ordered.values_list("pk", flat=True)[:2]) == every[:2]
        assert ordered.filter(similarity__gt=2).count() == len(ordered[:0]) == 0
        assert Product.objects.similar_to(first)[:3].count() == 3
        assert Product.objects.filter(pk__in=ordered.values("pk")[:2]).count() == 2
        deferred = list(ordered.only("title")[:1])
        assert deferred[0].get_deferred_fields()
        assert copy.deepcopy(ordered[:2])[0].pk == every[0]


def test_similar_to_an_unsaved_product_finds_nothing_and_is_forgotten(
    products: list[Product],
) -> None:
    assert list(Product.objects.similar_to(Product())[:3]) == []
    for product in products[:3]:
        assert len(Product.objects.similar_to(product)[:3]) == 3
    assert len([each for each in learned() if "<=>" in each.sql]) == 1


def test_the_beginning_of_a_list_is_counted_once(products: list[Product]) -> None:
    """Not for each product of the shop, as where no statistics tell that there are many."""
    plans: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT"):
            with connection.connection.cursor() as cursor:
                cursor.execute(
                    "SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off"
                )
                cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {sql}", params)
                plans.extend(line for (line,) in cursor.fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        assert similar_products(products[0], limit=2).way == "list"
    assert any("Seq Scan on testapp_product" in line for line in plans), plans
    counts = [line for line in plans if "Aggregate" in line]
    assert counts
    assert all("loops=1)" in line or "never executed" in line for line in counts), plans
