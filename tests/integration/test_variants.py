"""Products decided to be variants of each other count as one where lists are folded."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from imgrec import indexing, similar_products, tracing
from imgrec.duplicates import deciding
from imgrec.models import DuplicatePair
from tests.integration.admin_pages import make_products, the_space
from tests.pictures import upload
from tests.shapes import SHAPES, Shape
from tests.steering import rule
from tests.testapp.models import Product, TwoSpaces

pytestmark = pytest.mark.django_db
# Of what looks different nothing is folded.
FOLD = 1.0


@pytest.fixture
def products() -> list[Product]:
    """Six, each less like the first than the one before."""
    made = make_products(6)
    near = keys(similar_products(made[0]))
    return [made[0], *sorted(made[1:], key=lambda each: near.index(each.pk))]


def keys(found: Any) -> list[Any]:
    return [each.pk for each in found]


def decide(*products: Any, decision: str = "variant", label: str = "") -> None:
    space = the_space(label) if label else the_space()
    deciding.decide(space, [str(each.pk) for each in products], decision)


@pytest.mark.parametrize("exact_below", [1, 5000])
def test_only_the_best_variant_comes(
    products: list[Product], exact_below: int, settings: Settings
) -> None:
    settings.IMGREC = {**settings.IMGREC, "exact_below": exact_below}
    seed, *near = products
    decide(near[0], near[2], near[3])
    assert keys(similar_products(seed, fold=FOLD)) == keys([near[0], near[1], near[4]])
    assert keys(similar_products(seed)) == keys(near), "without fold= all of them come"


def test_none_comes_that_is_a_variant_of_the_product_itself(products: list[Product]) -> None:
    seed, *near = products
    decide(seed, near[1])
    assert keys(similar_products(seed, fold=FOLD)) == keys([near[0], *near[2:]])
    together = similar_products([seed, near[4]], fold=FOLD)
    assert near[1].pk not in keys(together)
    assert len(together) == 3


@pytest.mark.parametrize("decision", ["merge", "different"])
def test_other_decisions_fold_nothing(products: list[Product], decision: str) -> None:
    decide(*products[1:3], decision=decision)
    assert keys(similar_products(products[0], fold=FOLD)) == keys(products[1:])


def test_what_was_taken_back_folds_nothing(products: list[Product]) -> None:
    decide(*products[1:3])
    assert len(similar_products(products[0], fold=FOLD)) == 4
    deciding.reopen(the_space(), DuplicatePair.objects.values_list("pk", flat=True))
    assert keys(similar_products(products[0], fold=FOLD)) == keys(products[1:])


def test_a_list_is_filled_up_behind_variants(products: list[Product]) -> None:
    seed, *near = products
    decide(*near[:4])
    assert keys(similar_products(seed, limit=2, fold=FOLD)) == keys([near[0], near[4]])


def test_later_pages_bring_no_variant_of_earlier_ones(products: list[Product]) -> None:
    seed, *near = products
    decide(near[0], near[3])
    page = similar_products(seed, limit=2, fold=FOLD)
    later = similar_products(seed, limit=2, fold=FOLD, after=page.next)
    assert keys([*page, *later]) == keys([near[0], near[1], near[2], near[4]])


def test_a_pinned_or_boosted_variant_is_the_best(products: list[Product]) -> None:
    seed, *near = products
    decide(near[0], near[3])
    decide(near[1], near[2])
    rule("pin", near[3])
    rule("boost", near[2], factor=10)
    found = similar_products(seed, fold=FOLD)
    assert keys(found) == keys([near[3], near[2], near[4]])
    assert tracing.trace(seed, fold=FOLD).keys == keys(found)


def test_why_a_variant_is_not_in_the_list(products: list[Product]) -> None:
    seed, *near = products
    decide(near[0], near[2])
    decide(seed, near[1])
    for product, says in (
        (near[2], f"a variant of “{near[0]}”"),
        (near[1], "a variant of the product itself"),
    ):
        about = tracing.trace(seed, about=product, fold=FOLD).about
        assert about is not None
        assert about.why is not None
        assert says in about.why.text
        assert about.rank is None


def test_a_decision_holds_in_every_field_of_the_products() -> None:
    made = [TwoSpaces.objects.create(photo=upload(n / 9)) for n in range(4)]
    indexing.work()
    decide(*made[1:3], label="testapp.twospaces.coarse")
    assert len(similar_products(made[0])) == 3
    assert len(similar_products(made[0], fold=FOLD)) == 2


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_shops_variants_fold(shape: Shape) -> None:
    seed, *others = [shape.make(hue) for hue in (0.0, 0.1, 0.25, 0.4)]
    indexing.work()
    near = similar_products(seed)
    decide(*near[:2], label=shape.space.label)
    assert keys(similar_products(seed, fold=FOLD)) == keys([near[0], near[2]])
    assert {each.pk for each in near} == {each.pk for each in others}


def test_it_costs_no_statement_more(products: list[Product]) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            similar_products(products[0], fold=FOLD)
        return len(captured)

    before = statements()
    decide(*products[1:3])
    assert statements() == before
