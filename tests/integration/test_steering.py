"""Pins, blocks and boosts: held against the slow truth, and free of cost where there are none."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pytest_django import Settings

from imgrec import indexing, lists, similar_products, steering, tracing
from imgrec.cards import cards_of
from imgrec.rules import Rule
from imgrec.spaces import space_by_label
from tests.shapes import SHAPES, Shape
from tests.steering import Truth, rule
from tests.synthetic import fill
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db
CATEGORIES = ["cup", "bowl", "lamp", "rug"]


@pytest.fixture(autouse=True)
def _categories(settings: Settings, fresh_index: None) -> None:
    settings.IMGREC = {**settings.IMGREC, "category": {"testapp.Product": "title"}}


class Shop:
    """Products of four categories, some hidden or sold out, with made-up vectors."""

    def __init__(self, seed: int = 0, *, count: int = 60) -> None:
        self.random = random.Random(seed)
        Product.objects.bulk_create(
            Product(
                title=self.random.choice(CATEGORIES),
                photo=f"{number}.png",
                published=self.random.random() > 0.1,
                stock=int(self.random.random() > 0.15),
                price=self.random.randrange(1, 15),
            )
            for number in range(count)
        )
        self.products = list(Product.objects.order_by("pk"))
        found = space_by_label("testapp.product.embedding")
        assert found is not None
        self.space = found
        self.truth = Truth(self.products, fill(found, self.products, clusters=6, seed=seed))

    def build_lists(self) -> None:
        """Store the lists."""
        lists.build_all(self.space, self.space.embedder.version)

    def visible(self) -> Product:
        """Return any product that may be asked about."""
        return self.random.choice([each for each in self.products if each.published])


@pytest.fixture
def shop() -> Shop:
    made = Shop()
    made.build_lists()
    return made


def keys(found: Any) -> list[int]:
    return [each.pk for each in found]


def random_rules(shop: Shop, seed: Product) -> list[Rule]:
    """Make up to six rules, most of which hold beside the product."""
    made = []
    for _number in range(shop.random.randrange(7)):
        action = shop.random.choice(["pin", "block", "boost", "pin", "boost"])
        target = shop.random.choice([shop.random.choice(shop.products), *CATEGORIES[:2]])
        beside = shop.random.choice([None, seed, seed.title, shop.random.choice(shop.products)])
        more: dict[str, Any] = {}
        if action == "pin":
            more["position"] = shop.random.choice([None, 1, 2, 5, 30])
        elif action == "boost":
            more["factor"] = shop.random.choice([0.3, 0.8, 1.2, 1.7, 4.0])
        made.append(rule(action, target, beside=beside, **more))
    return made


def random_options(shop: Shop) -> dict[str, Any]:
    return {
        "limit": shop.random.choice([1, 3, 8, 40]),
        "min_similarity": shop.random.choice([0.0, 0.0, 0.3, 0.6]),
        "group_by": shop.random.choice([None, None, "price"]),
        "fold": shop.random.choice([None, None, 0.75]),
        "diversity": shop.random.choice([None, None, 0.4]),
    }


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("exact_below", [1, 5000])
def test_random_rules_make_the_list_they_say(
    number: int, exact_below: int, settings: Settings
) -> None:
    settings.IMGREC = {**settings.IMGREC, "exact_below": exact_below}
    shop = Shop(number)
    shop.build_lists()
    for _turn in range(10):
        Rule.objects.all().delete()
        seed = shop.visible()
        rules, options = random_rules(shop, seed), random_options(shop)
        found = similar_products(seed, **options)
        told = f"{[str(each) for each in rules]} {options}"
        assert keys(found) == shop.truth.keys(seed, rules, **options), told
        assert tracing.trace(seed, **options).keys == keys(found), told
        for each in found:
            assert each.similarity == pytest.approx(
                max(float(shop.truth.vectors[each.pk] @ shop.truth.vectors[seed.pk]), 0), abs=2e-3
            )


# Who comes first


def test_a_pinned_product_comes_first_but_never_when_it_cannot_be_bought(shop: Shop) -> None:
    seed = shop.visible()
    before = keys(similar_products(seed, limit=60))
    last = Product.objects.get(pk=before[-1])
    rule("pin", last, beside=seed)
    found = similar_products(seed, limit=8)
    assert keys(found) == [last.pk, *before[:7]]
    assert [each.pinned for each in found] == [True] + [False] * 7
    for gone in ({"stock": 0}, {"published": False}):
        Product.objects.filter(pk=last.pk).update(stock=1, published=True)
        Product.objects.filter(pk=last.pk).update(**gone)
        assert keys(similar_products(seed, limit=8)) == before[:8]
    Product.objects.filter(pk=last.pk).update(stock=1, published=True)
    among = Product.objects.exclude(pk=last.pk)
    assert keys(similar_products(seed, limit=8, among=among)) == before[:8]
    assert last.pk not in keys(similar_products(last, limit=60)), "never beside itself"


def test_a_boost_changes_the_place_and_not_the_similarity(shop: Shop) -> None:
    seed = shop.visible()
    before = {each.pk: each.similarity for each in similar_products(seed, limit=60)}
    near = [key for key, similarity in before.items() if similarity > 0]
    fourth = Product.objects.get(pk=near[4])
    rule("boost", fourth, factor=10)
    found = similar_products(seed, limit=8)
    assert (found[0].pk, found[0].boosted, found[0].pinned) == (fourth.pk, True, False)
    assert found[0].similarity == pytest.approx(before[fourth.pk])
    assert not any(each.boosted for each in found[1:])


def test_a_block_is_a_filter_and_lists_still_are_read(shop: Shop) -> None:
    seed = shop.visible()
    before = similar_products(seed, limit=60)
    rule("block", before[0])
    rule("block", "rug", beside=seed.title)
    found = similar_products(seed, limit=60)
    left = [each.pk for each in before if each.title != "rug" and each.pk != before[0].pk]
    assert keys(found) == left
    assert similar_products(seed, limit=4).way == "list"


def test_rules_hold_from_a_day_to_a_day(shop: Shop) -> None:
    seed = shop.visible()
    first = similar_products(seed)[0]
    hour = timedelta(hours=1)
    made = rule("block", first, starts_at=now() + hour)
    for times, holds in [
        ({"starts_at": now() + hour, "ends_at": None}, False),
        ({"starts_at": now() - hour, "ends_at": now() + hour}, True),
        ({"starts_at": None, "ends_at": now() - hour}, False),
        ({"starts_at": None, "ends_at": None}, True),
    ]:
        Rule.objects.filter(pk=made.pk).update(**times)
        steering.forget()
        assert (first.pk not in keys(similar_products(seed))) is holds
        states = [Rule.objects.active(), Rule.objects.planned(), Rule.objects.ended()]
        assert sum(each.exists() for each in states) == 1
        assert states[0].exists() is holds


@pytest.mark.parametrize("options", [{}, {"group_by": "price"}, {"fold": 0.85}])
def test_pages_neither_repeat_nor_skip(shop: Shop, options: dict[str, Any]) -> None:
    seed = shop.visible()
    everything = keys(similar_products(seed, limit=60, **options))
    for target, position in zip(everything[-3:], (1, 5, 9), strict=True):
        rule("pin", Product.objects.get(pk=target), position=position)
    rule("boost", "cup", factor=1.5)
    rule("boost", "lamp", factor=0.5)
    shown: list[int] = []
    token = None
    while True:
        page = similar_products(seed, limit=7, after=token, **options)
        shown += keys(page)
        token = page.next
        if token is None:
            break
    assert len(shown) == len(set(shown))
    assert [shown[0], shown[4], shown[8]] == everything[-3:]
    if not options:
        assert set(shown) == set(everything)


def test_several_products_share_their_rules(shop: Shop) -> None:
    one, other = [each for each in shop.products if each.published][:2]
    blocked = similar_products([one, other])[0]
    rule("block", blocked, beside=other)
    assert blocked.pk not in keys(similar_products([one, other]))
    assert blocked.pk in keys(similar_products(one, limit=60))


# Named sets


def test_a_rule_of_a_set_holds_where_the_set_is_asked_for(shop: Shop) -> None:
    first, second, third = [each for each in shop.products if each.published][:3]
    before = {each: keys(similar_products(each)) for each in (first, second, third)}
    for seed, found in before.items():
        rule("block", Product.objects.get(pk=found[0]), beside=seed, rule_set="bold")
        rule("block", Product.objects.get(pk=found[1]), beside=seed)
    for _again in range(3):  # statements are remembered, of each set by itself
        for seed, found in before.items():
            assert keys(similar_products(seed, limit=6)) == [found[0], *found[2:7]]
            assert keys(similar_products(seed, limit=6, rule_set="shy")) == [found[0], *found[2:7]]
            assert keys(similar_products(seed, limit=6, rule_set="bold")) == found[2:8]
            assert tracing.trace(seed, limit=6, rule_set="bold").keys == found[2:8]


def test_a_page_goes_on_under_its_own_rules_alone(shop: Shop) -> None:
    seed = shop.visible()
    rule("pin", shop.visible(), rule_set="bold")
    page = similar_products(seed, limit=5, rule_set="bold")
    assert similar_products(seed, limit=5, rule_set="bold", after=page.next)
    with pytest.raises(ValueError, match="after"):
        similar_products(seed, limit=5, after=page.next)


def test_a_process_of_an_older_version_may_still_add_rules(shop: Shop) -> None:
    seed = shop.visible()
    first = similar_products(seed)[0]
    columns = "item_model, action, target, target_value, beside, beside_value, note, created_by"
    values = ["testapp.product", "block", "product", str(first.pk), "all", "", "", ""]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO imgrec_rule ({columns}) VALUES ({', '.join(['%s'] * 8)})",
            values,
        )
    steering.forget()
    assert first.pk not in keys(similar_products(seed))


# What it costs


def statements(work: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        work()
    return [each["sql"] for each in captured if "SAVEPOINT" not in each["sql"]]


def test_a_shop_without_rules_pays_one_small_statement_every_few_seconds(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed, clock = shop.visible(), [0.0]
    monkeypatch.setattr(steering, "monotonic", lambda: clock[0])
    steering.forget()
    assert len(statements(lambda: similar_products(seed))) == 2
    without = statements(lambda: similar_products(seed))
    assert len(without) == 1
    assert "imgrec_rule" not in without[0]
    clock[0] = steering.REMEMBERED_FOR + 0.1
    asked = statements(lambda: similar_products(seed))
    assert sum("imgrec_rule" in each for each in asked) == 1


def test_rules_of_sets_that_nobody_shows_cost_nothing(shop: Shop) -> None:
    seed = shop.visible()
    rule("pin", shop.visible(), rule_set="bold")
    similar_products(seed)
    sent = statements(lambda: similar_products(seed))
    assert len(sent) == 1
    assert similar_products(seed).way == "list"


def test_a_product_without_rules_in_a_shop_with_some_pays_one(shop: Shop) -> None:
    one, other = [each for each in shop.products if each.published][:2]
    rule("pin", shop.visible(), beside=other)
    similar_products(one)
    sent = statements(lambda: similar_products(one))
    assert len(sent) == 2
    assert similar_products(one).way == "list"


def test_a_rule_is_heeded_at_once_where_it_was_saved(shop: Shop) -> None:
    seed = shop.visible()
    first = similar_products(seed)[0]
    made = rule("block", first)
    assert first.pk not in keys(similar_products(seed))
    made.delete()
    assert first.pk in keys(similar_products(seed))


def test_a_rule_that_makes_no_sense_harms_nobody(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    seed = shop.visible()
    before = keys(similar_products(seed))
    made = rule("pin", shop.visible())
    Rule.objects.filter(pk=made.pk).update(target_value="no key")
    assert keys(similar_products(seed)) == before
    assert "passed over" in caplog.text


# Every shop


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_shop_pins_blocks_and_boosts(shape: Shape) -> None:
    made = [shape.make(hue) for hue in (0.0, 0.02, 0.05, 0.09, 0.3)]
    indexing.work()
    seed, first, second, third, last = made
    label = shape.space.item_model._meta.label_lower
    for action, target, more in [
        ("pin", last, {"position": 1}),
        ("block", first, {}),
        ("boost", third, {"factor": 10}),
    ]:
        Rule.objects.create(
            item_model=label,
            action=action,
            target="product",
            target_value=str(shape.space.item_key(target)),
            beside="product",
            beside_value=str(shape.space.item_key(seed)),
            **more,
        )
    found = similar_products(seed, limit=8)
    assert keys(found) == [last.pk, third.pk, second.pk]
    assert [(each.pinned, each.boosted) for each in found] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert [type(each) for each in found] == [type(each) for each in similar_products(third)[:3]]


def test_a_field_of_the_shops_own_stays(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Product, "pinned", "the shop's own", raising=False)
    seed = shop.visible()
    rule("pin", similar_products(seed)[3])
    found = similar_products(seed)
    assert {each.pinned for each in found} == {"the shop's own"}
    assert [card.pinned for card in cards_of(found)[:2]] == [True, False]
