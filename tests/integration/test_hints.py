"""``{% similar_products … show_why=True %}``: a word on each card, and never a wait for it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.template import Context, Template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from redis import RedisError

from imgrec import hints, indexing, photo_queries
from imgrec.embedders.protocol import Staged
from tests.integration.test_why import ASKED, flag
from tests.integration.test_why import a_worker as a_worker  # a fixture
from tests.shapes import SHAPES, Shape
from tests.testapp.models import Product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("a_worker")]

TAG = "{% load imgrec %}{% similar_products product show_why=True %}"


@pytest.fixture(autouse=True)
def not_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "_away_until", 0.0)


@pytest.fixture
def products() -> list[Product]:
    colours = [("red", "blue"), ("red", "lime"), ("lime", "blue")]
    made = [Product.objects.create(title=str(n), photo=flag(*c)) for n, c in enumerate(colours)]
    indexing.work()
    return made


def shown(product: Any, tag: str = TAG) -> str:
    return Template(tag).render(Context({"product": product}))


def words(html: str) -> list[str]:
    return re.findall(r'class="imgrec-alike">alike: ([^<]+)<', html)


def test_at_the_next_view_it_says_where(products: list[Product]) -> None:
    assert words(shown(products[0])) == []
    assert len(ASKED) == 1, "one question for all of them"
    left, right = words(shown(products[0]))
    assert "left" in left
    assert "right" in right
    assert len(ASKED) == 1
    assert words(shown(products[0], TAG.replace("show_why=True", ""))) == []


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_whatever_the_shop_looks_like(shape: Shape) -> None:
    made = [shape.make(hue) for hue in (0.0, 0.1, 0.4)]
    indexing.work()
    shown(made[0])
    with CaptureQueriesContext(connection) as captured:
        assert len(words(shown(made[0]))) == 2
    own = [each for each in captured if "source_name" in each["sql"] and "sha256" in each["sql"]]
    assert len(own) == 1


def test_a_list_that_comes_later_says_it_too(products: list[Product], client: Client) -> None:
    tag = TAG.replace("show_why", "lazy=True show_why")
    (address,) = re.findall(r'data-imgrec-lazy="([^"]+)"', shown(products[0], tag))
    client.get(address)
    assert len(words(client.get(address).content.decode())) == 2


def test_a_changed_photo_is_looked_at_anew(products: list[Product]) -> None:
    shown(products[0])
    products[1].photo = flag("blue", "blue")
    products[1].save()
    indexing.work()
    assert len(words(shown(products[0]))) == 1
    assert len(words(shown(products[0]))) == 2


def test_a_photo_that_has_gone_is_asked_for_once(products: list[Product]) -> None:
    products[1].photo.storage.delete(products[1].photo.name)
    for _view in range(3):
        html = shown(products[0])
    assert len(words(html)) == 1
    assert len(ASKED) == 1


def test_nobody_is_asked_in_a_crowd(products: list[Product]) -> None:
    photo_queries._redis(5).lpush(photo_queries.QUEUE, *["nobody x"] * hints.CROWD)
    assert "imgrec-card" in shown(products[0])
    assert not ASKED


def test_a_redis_that_is_away_is_left_alone(
    products: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def away(timeout: float) -> Any:
        tried.append(timeout)
        raise RedisError("nobody there")

    monkeypatch.setattr(photo_queries, "_redis", away)
    for _view in range(3):
        assert "imgrec-card" in shown(products[0])
    assert tried == [hints.PATIENCE_SECONDS]


def test_without_a_map_or_a_cache_there_is_no_word(
    products: list[Product], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr("imgrec.mapping.Mapped", Staged)  # which it is not
        assert "imgrec-card" in shown(products[0])
    settings.IMGREC = {**settings.IMGREC, "map_cache_seconds": 0}
    assert "imgrec-card" in shown(products[0])
    assert not ASKED
