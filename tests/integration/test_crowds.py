"""Where many products were eligible lately, a search does not count them again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from imgrec import crowds, indexing, similar_products
from tests.shapes import SHAPES, Shape

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_index")]

HUES = [0.0, 0.02, 0.2, 0.31, 0.33, 0.66, 0.7, 0.9]


@pytest.fixture(params=SHAPES, ids=lambda shape: shape.name)
def shape(request: pytest.FixtureRequest) -> Shape:
    shape: Shape = request.param
    return shape


@pytest.fixture
def made(shape: Shape, settings: Settings) -> list[Any]:
    """Eight products without lists, more than are searched exactly."""
    products = [shape.make(hue) for hue in HUES]
    indexing.work()
    shape.space.list_model.objects.all().delete()
    settings.IMGREC = {**settings.IMGREC, "exact_below": 3}
    return products


def asked(seed: Any, **options: Any) -> tuple[Any, bool]:
    """Return an answer and whether the eligible products were counted for it."""
    with CaptureQueriesContext(connection) as captured:
        found = similar_products(seed, limit=3, **options)
    return found, any("imgrec_few" in query["sql"] for query in captured)


def test_counted_once_and_answered_the_same(made: list[Any]) -> None:
    counted = [asked(seed) for seed in made]
    assert [was for _, was in counted] == [True] + [False] * (len(made) - 1)
    for seed, (found, _) in zip(made, counted, strict=True):
        crowds.forget()
        fresh, was_counted = asked(seed)
        assert was_counted
        assert (fresh.way, fresh.eligible) == (found.way, found.eligible) == ("hnsw", 4)
        assert [each.pk for each in fresh] == [each.pk for each in found]
        assert [each.similarity for each in fresh] == [each.similarity for each in found]


def test_each_filter_is_counted_by_itself(made: list[Any], shape: Shape) -> None:
    among = shape.item.objects.filter(stock__gt=-1)
    assert asked(made[0])[1]
    assert asked(made[0], among=among)[1]
    assert not asked(made[1], among=among)[1]


def test_few_by_now_are_all_found(made: list[Any], shape: Shape) -> None:
    asked(made[0])
    sold_out = [each.pk for each in made[3:]]
    shape.item.objects.filter(pk__in=sold_out).delete()
    found, was_counted = asked(made[1])
    assert was_counted
    assert (found.way, found.eligible, len(found)) == ("exact", 2, 2)
    assert asked(made[2])[1], "few stay counted"


def test_a_hidden_seed_finds_nothing(made: list[Any], shape: Shape) -> None:
    asked(made[0])
    shape.item.objects.filter(pk=made[1].pk).update(published=False)
    made[1].refresh_from_db()
    found, was_counted = asked(made[1])
    assert (list(found), found.way, was_counted) == ([], "none", False)


def test_counted_again_after_a_minute(made: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    asked(made[0])
    now = crowds.monotonic()
    monkeypatch.setattr(crowds, "monotonic", lambda: now + crowds.REMEMBERED_FOR + 1)
    assert asked(made[1])[1]


def test_filters_that_vary_without_end_take_no_memory() -> None:
    for number in range(3 * crowds.MOST):
        crowds.note_crowd(number)
    assert len(crowds._until) <= crowds.MOST
    assert crowds.is_crowd(3 * crowds.MOST - 1)
