"""Caching: the rendered list by ``{% cache %}``, results by Django's cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext

from imgrec import indexing, similar_products
from imgrec.cards import cards_of
from imgrec.results import SimilarProducts
from tests.pictures import upload
from tests.shapes import SHAPES, Shape
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db

HUES = [0.0, 0.02, 0.31]
CACHED = (
    "{% load cache imgrec %}{% cache 600 lookalikes product.pk limit %}"
    "{% similar_products product limit=limit %}{% endcache %}"
)


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def made_of(shape: Shape) -> list[Any]:
    """Return indexed products of that shape."""
    made = [shape.make(hue) for hue in HUES]
    indexing.work()
    return made


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_results_come_out_of_the_cache_as_they_went_in(shape: Shape) -> None:
    found = similar_products(made_of(shape)[0])
    cache.set("lookalikes", found, 60)
    with CaptureQueriesContext(connection) as captured:
        again = cache.get("lookalikes")
        assert cards_of(again) == cards_of(found)
    assert len(captured) == 0
    assert isinstance(again, SimilarProducts)
    assert list(again) == list(found)
    assert (again.way, again.space, again.indexed) == (found.way, found.space, found.indexed)
    kept = zip(again, found, strict=True)
    assert all(vars(one).keys() >= vars(other).keys() for one, other in kept)
    assert [each.similarity for each in again] == [each.similarity for each in found]


def test_an_empty_result_comes_out_as_it_went_in() -> None:
    cache.set("lookalikes", similar_products(Product.objects.create(title="New")), 60)
    again = cache.get("lookalikes")
    assert (list(again), again.way, again.indexed) == ([], "none", False)


def test_a_cached_tag_costs_no_query() -> None:
    products = [Product.objects.create(title="Chair", photo=upload(hue)) for hue in HUES]
    indexing.work()
    page = Template(CACHED)
    first = page.render(Context({"product": products[0], "limit": 8}))
    with CaptureQueriesContext(connection) as captured:
        assert page.render(Context({"product": products[0], "limit": 8})) == first
    assert first.count("imgrec-card") == 2
    assert len(captured) == 0
    assert page.render(Context({"product": products[0], "limit": 1})) != first
    assert page.render(Context({"product": products[1], "limit": 8})) != first
