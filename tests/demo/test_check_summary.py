"""The check's own arithmetic, and that it calls wrong what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from demo_shop.checking.likeness import precision, precision_by_category
from demo_shop.checking.pages import Page
from demo_shop.checking.shop import Seen
from demo_shop.checking.summary import problems_of
from demo_shop.checking.swaps import quantile

GOOD: dict[str, Any] = {
    "products": 10,
    "states": {"ready": 8, "failed": 2, "queued": 0},
    "failures": {"damaged": 2},
    "page_queries": 2,
    "photo_to_list_seconds": {"p50": 0.4, "p95": 0.9, "n": 24},
    "torch_in_web_process": False,
    "kill": {"photos": 10, "held_at_kill": 1, "lists_right_after": 10},
    "worker_restarts": 0,
    "visibility": {"hidden_leaves_lists": True},
    "photo_search": {"answered": True},
}


def seen(pk: int, category: str, *similar: int) -> Seen:
    return Seen(pk=pk, address="", category=category, in_stock=True, photo="", similar=[*similar])


def test_precision_counts_the_first_five_of_each_page() -> None:
    hats = [seen(pk, "hat", *[other for other in range(1, 7) if other != pk]) for pk in range(1, 7)]
    bag = seen(7, "bag", 1, 2, 3, 4, 5)
    pages = {each.pk: each for each in [*hats, bag, seen(8, "hat")]}
    assert precision_by_category(pages) == {"bag": 0.0, "hat": 1.0}
    assert precision(pages) == round(6 / 7, 4)
    assert precision({1: hats[0], 2: hats[1]}) is None


@pytest.mark.parametrize(("share", "value"), [(0.5, 10.0), (0.95, 19.0), (1.0, 20.0)])
def test_quantiles_are_measured_values(share: float, value: float) -> None:
    assert quantile([float(number) for number in range(20, 0, -1)], share) == value


def test_one_measured_value_is_every_quantile() -> None:
    assert quantile([3.0], 0.5) == quantile([3.0], 0.95) == 3.0


def test_a_shop_that_works_has_no_problems() -> None:
    assert problems_of(GOOD) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"products": 11}, "add up to 10, not to 11"),
        ({"states": {"ready": 7, "failed": 2, "queued": 1}}, "neither ready nor failed"),
        ({"failures": {"": 2}}, "no reason"),
        ({"failures": {"damaged": 1}}, "no reason"),
        ({"page_queries": 3}, "3 SELECTs"),
        ({"photo_to_list_seconds": {"p50": 1, "p95": 3.5, "n": 24}}, "3.5 s"),
        ({"torch_in_web_process": True}, "torch"),
        ({"kill": {"photos": 10, "lists_right_after": 9}}, "after the kill"),
        ({"worker_restarts": 2}, "2 times"),
        ({"visibility": {"hidden_page_is_404": False}}, "hidden_page_is_404"),
    ],
)
def test_everything_wrong_is_named(change: dict[str, Any], told: str) -> None:
    [problem] = problems_of({**GOOD, **change})
    assert told in problem


def test_a_form_is_read_as_a_browser_would_send_it() -> None:
    page = Page(
        """<form id="product_form"><input name="title" value="A &amp; B"><input type="checkbox"
        name="on" checked><input type="checkbox" name="off"><input type="file" name="photo">
        <input type="submit" name="_save"><select name="shelf"><option value="1"><option value="2"
        selected></select><textarea name="text">\n line one\nline two</textarea></form>
        <input name="outside">"""
    )
    assert page.forms["product_form"].fields == [
        ("title", "A & B"),
        ("on", "on"),
        ("shelf", "2"),
        ("text", " line one\nline two"),
    ]
