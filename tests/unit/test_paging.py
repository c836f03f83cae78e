"""Tokens of pages: what they remember, and what is no token."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest

from imgrec.paging import ROUNDING, Page, mark, page_after


def page(*shown: float, before: Page | None = None, keep_all: bool = False) -> Page:
    found = page_after(
        before, [(f"p{s}", s, None) for s in shown], mark("query"), keep_all=keep_all
    )
    assert found is not None
    return found


def test_a_token_says_where_the_page_ended() -> None:
    end = page(0.9, 0.8, 0.7)
    again = Page.read(end.token, mark("query"))
    assert again == end
    assert (again.similarity, again.shown) == (0.7, 3)
    assert again.is_past(0.71)
    assert not again.is_past(0.7 + ROUNDING / 2)
    assert again.has_shown("p0.7")
    assert not again.has_shown("p0.9"), "far above, and so known to be past"


def test_what_is_near_the_end_is_remembered_over_pages() -> None:
    first = page(0.9, 0.7 + ROUNDING / 2, 0.7)
    second = page(0.7 - ROUNDING / 2, 0.7 - ROUNDING, before=first)
    assert set(first.keys) <= set(second.keys)
    third = page(0.5, before=second)
    assert len(third.keys) == 1
    assert (third.shown, third.similarity) == (6, 0.5)


def test_a_page_never_moves_back() -> None:
    first = page(0.7)
    second = page(0.7 + ROUNDING / 2, before=first)
    assert second.similarity == 0.7


def test_all_is_remembered_where_it_decides_about_the_rest() -> None:
    first = page(0.9, 0.5, keep_all=True)
    second = page(0.3, before=first, keep_all=True)
    assert all(second.has_shown(f"p{similarity}") for similarity in (0.9, 0.5, 0.3))
    grouped = page_after(second, [("x", 0.2, "red"), ("y", 0.1, None)], "q", keep_all=True)
    assert grouped is not None
    assert grouped.has_group("red")
    assert len(grouped.groups) == 1
    assert page_after(second, [], "q", keep_all=True) is None


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "é",
        "",
        urlsafe_b64encode(b"[]").decode(),
        urlsafe_b64encode(b"{}").decode(),
        urlsafe_b64encode(b"\xff\xfe").decode(),
        urlsafe_b64encode(json.dumps(["x", 1, "", "", "q"]).encode()).decode(),
        urlsafe_b64encode(json.dumps([1, 1, 5, "", "q"]).encode()).decode(),
        "A" * 5,
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match=r"after= is no token: give the \.next"):
        Page.read(token, "q")


@pytest.mark.parametrize("values", [["NaN"], ["1e10"], ["1", -1], ["1", 10**9]])
def test_numbers_that_make_no_sense_are_refused(values: list[object]) -> None:
    similarity, shown = [*values, 1][:2]
    text = f'[{similarity},{shown},"","","q"]'
    with pytest.raises(ValueError, match="after= is of another query"):
        Page.read(urlsafe_b64encode(text.encode()).decode(), "q")


def test_a_token_of_another_query_is_refused() -> None:
    with pytest.raises(ValueError, match="after= is of another query: ask for the same products"):
        Page.read(page(0.5).token, mark("another"))
