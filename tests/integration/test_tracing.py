"""How a list comes about, and why not here: the reason named is the one that holds."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Q
from pytest_django import Settings

from imgrec import indexing, similar_products
from imgrec.trace_reasons import said
from imgrec.trace_stages import STEPS
from imgrec.tracing import Line, trace
from tests.integration.admin_pages import make_failed
from tests.pictures import upload
from tests.shapes import SHAPES, Shape
from tests.steering import rule
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db
HUES = [0.0, 0.02, 0.05, 0.09, 0.14, 0.3, 0.45]


@pytest.fixture(autouse=True)
def _categories(settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "category": {"testapp.Product": "title"}}


@pytest.fixture
def products() -> list[Product]:
    made = [Product.objects.create(title=f"P{n}", photo=upload(hue)) for n, hue in enumerate(HUES)]
    indexing.work()
    return made


def asked(seed: Product, about: Product, **options: Any) -> Line:
    line = trace(seed, about=about, **options).about
    assert line is not None
    return line


def ranks(line: Line) -> dict[str, int]:
    return {step: n for step, n in zip(STEPS, line.ranks, strict=True) if n is not None}


def test_what_is_shown_has_a_rank_after_each_step(products: list[Product]) -> None:
    found = trace(products[0], limit=3)
    shown = similar_products(products[0], limit=3)
    assert found.keys == [each.pk for each in shown]
    for place, line in enumerate(found.lines[:3], 1):
        assert line.ranks == (place,) * len(STEPS)
        assert line.similarity == pytest.approx(shown[place - 1].similarity)
        assert line.why is None
    assert [line.why.text for line in found.lines[3:] if line.why] == [
        f"Rank {rank}; the list shows the first 3." for rank in (4, 5, 6)
    ]


def test_each_filter_is_named(products: list[Product]) -> None:
    seed, hidden, sold_out, other = products[:4]
    Product.objects.filter(pk=hidden.pk).update(published=False)
    Product.objects.filter(pk=sold_out.pk).update(stock=0)
    for about, step, says in [
        (hidden, "visible", "visible=published=True"),
        (sold_out, "recommend", "recommend=stock__gt=0"),
        (seed, "order", "the product itself"),
    ]:
        why = asked(seed, about).why
        assert why is not None
        assert (why.step, says in why.text) == (step, True), why
    assert ranks(asked(seed, sold_out)) == {"order": 2, "visible": 1}
    line = asked(seed, other, among=Product.objects.exclude(pk=other.pk))
    assert line.why is not None
    assert line.why.step == "among"
    line = asked(seed, products[-1], min_similarity=0.999)
    assert line.why is not None
    assert "below min_similarity=0.999" in line.why.text


def test_the_rule_that_blocks_is_named(products: list[Product]) -> None:
    one = rule("block", products[1], beside=products[0])
    other = rule("block", "P2")
    for product, made in ((products[1], one), (products[2], other)):
        line = asked(products[0], product)
        assert line.why is not None
        assert line.why.rule == made
        assert "rules" not in ranks(line)


def test_a_pin_and_a_boost_show_before_and_after(products: list[Product]) -> None:
    pin = rule("pin", products[6], position=2)
    boost = rule("boost", "P5", factor=10)
    found = trace(products[0], limit=4)
    pinned = next(line for line in found.lines if line.key == products[6].pk)
    assert (pinned.pinned, pinned.rank, ranks(pinned)["order"] > 4) == (pin, 2, True)
    assert ranks(pinned)["rules"] == 2
    boosted = next(line for line in found.lines if line.key == products[5].pk)
    assert list(boosted.boosts) == [boost]
    assert found.keys == [each.pk for each in similar_products(products[0], limit=4)]


def test_a_group_names_who_stands_for_it(products: list[Product]) -> None:
    parent = products[6]
    Product.objects.filter(pk__in=[products[1].pk, products[2].pk]).update(parent=parent)
    why = asked(products[0], products[2], group_by="parent").why
    assert why is not None
    assert (why.step, "“P1”" in why.text) == ("group", True)
    Product.objects.filter(pk=products[0].pk).update(parent=parent)
    why = asked(products[0], products[2], group_by="parent").why
    assert why is not None
    assert "same group as the product itself" in why.text


def test_a_fold_names_who_looks_the_same(products: list[Product]) -> None:
    twins = [Product.objects.create(title=f"twin {n}", photo=upload(0.3)) for n in range(2)]
    double = Product.objects.create(title="double", photo=upload(0.0))
    indexing.work()
    texts = [
        line.why.text
        for about in twins
        if (line := asked(products[0], about, fold=0.999)).why is not None
    ]
    assert any("Folded into “" in text for text in texts)
    why = asked(products[0], double, fold=0.999).why
    assert why is not None
    assert "same as the product itself" in why.text


def test_without_a_vector_the_photos_state_is_told(products: list[Product], settings: Any) -> None:
    settings.IMGREC = {**settings.IMGREC, "placeholder_above": 1}
    failed = make_failed()
    bare = Product.objects.create(title="bare")
    new = Product.objects.create(title="new", photo=upload(0.6))
    for about, says in [(failed, "failed (Not a picture)"), (bare, "no photo"), (new, "queued")]:
        why = asked(products[0], about).why
        assert why is not None
        assert says in why.text
    placeholders = [
        Product.objects.create(photo=upload(0.77, name="none.png")) for _each in range(2)
    ]
    indexing.work()
    why = asked(products[0], placeholders[0]).why
    assert why is not None
    assert "placeholder" in why.text
    trouble = trace(bare).trouble
    assert trouble is not None
    assert "no photo" in trouble.text


def test_a_hidden_product_has_no_list(products: list[Product]) -> None:
    Product.objects.filter(pk=products[0].pk).update(published=False)
    trouble = trace(products[0]).trouble
    assert trouble is not None
    assert trouble.step == "visible"


def test_however_far_away_the_rank_is_exact(products: list[Product]) -> None:
    line = asked(products[0], products[4], most=1, limit=1)
    everything = [each.pk for each in similar_products(products[0], limit=60)]
    assert line.ranks[0] == everything.index(products[4].pk) + 1
    assert line.why is not None
    assert line.why.text == f"Rank {line.ranks[0]}; the list shows the first 1."


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_shop_has_traces(shape: Shape) -> None:
    made = [shape.make(hue) for hue in HUES[:5]]
    indexing.work()
    found = trace(made[0], about=made[4], limit=2)
    assert found.keys == [found.space.item_key(each) for each in similar_products(made[0], limit=2)]
    assert found.about is not None
    assert found.about.why is not None


def test_filters_are_said_as_a_shop_writes_them() -> None:
    assert said(Q(a=1) & ~Q(b="x")) == "a=1 and not (b='x')"
    assert said(Q(a=1) & (Q(b=2) | Q(c=3))) == "a=1 and (b=2 or c=3)"
    assert said(None) == "everything"
