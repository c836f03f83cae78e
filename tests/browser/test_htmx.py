"""The fragments as HTMX takes them: bare HTML, and nothing where there is nothing to show."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django_htmx
import pytest
from django.template import Context, Template
from playwright.sync_api import Page, Route, expect

from tests.browser.fronts import open_front
from tests.browser.steps import CARDS, Seen
from tests.readme import DOCS, snippets

pytestmark = pytest.mark.browser

HTMX = Path(django_htmx.__file__).parent / "static" / "django_htmx" / "htmx-2.min.js"


@pytest.fixture
def place(page: Page, seen: Seen) -> str:
    """The place for a list, by the template in the docs."""
    html = page.request.get(f"{seen.path}?similar=later").text()
    address = html.split('data-imgrec-lazy="')[1].split('"')[0]
    return told("similar_products_lazy", address=address, page_address=f"{address}page/")


def told(template: str, **values: Any) -> str:
    """Render one of the templates in the docs."""
    codes = [each.code for each in snippets("django", page=DOCS / "front-ends.md")]
    (code,) = [each for each in codes if f"/{template}.html #}}" in each]
    return Template(code).render(Context(values))


def show(page: Page, body: str) -> None:
    """Open a page with HTMX on it."""
    script = HTMX.read_text(encoding="utf-8")
    page.route(
        "**/htmx.js", lambda route: route.fulfill(body=script, content_type="text/javascript")
    )
    settings = '<meta name="htmx-config" content=\'{"includeIndicatorStyles": false}\'>'
    open_front(page, head=f'{settings}<script src="/htmx.js"></script>', body=body)


def test_the_list_takes_the_places_place(page: Page, seen: Seen, place: str) -> None:
    show(page, place)
    expect(page.locator(CARDS)).to_have_count(8)
    expect(page.locator("[hx-get]")).to_have_count(0)
    keys = page.locator(CARDS).evaluate_all("cards => cards.map(card => card.dataset.pk)")
    assert keys == seen.look_alikes
    expect(page.locator("main > .imgrec")).to_have_count(1)


@pytest.mark.parametrize(("status", "left"), [(200, 0), (204, 1)])
def test_nothing_to_show_leaves_nothing_and_an_error_the_link(
    page: Page, place: str, status: int, left: int
) -> None:
    page.route("**/imgrec/similar/**", lambda route: route.fulfill(status=status, body=""))
    with page.expect_response("**/imgrec/similar/**"):
        show(page, place)
    expect(page.locator("[hx-get]")).to_have_count(left)


def test_pages_follow_each_other(page: Page) -> None:
    """As ``tests/integration/test_paged_views.py`` has the view answer."""
    asked = []
    products = [SimpleNamespace(title=f"Chair {n}", get_absolute_url=f"/{n}/") for n in range(9)]

    def answer(route: Route) -> None:
        asked.append(after := parse_qs(urlsplit(route.request.url).query).get("after", ["0"])[0])
        found = Found(products[int(after) : int(after) + 4])
        found.next = str(int(after) + 4) if int(after) + 4 < len(products) else None
        request = {"path": "/more-like-this/1/"}
        html = told("more_like_this", found=found, request=request)
        route.fulfill(body=html, content_type="text/html")

    page.route("**/more-like-this/1/*", answer)
    page.route("**/more-like-this/1/", answer)
    first = '<li hx-get="/more-like-this/1/" hx-trigger="load" hx-swap="outerHTML"></li>'
    show(page, f"<ul>{first}</ul>")
    expect(page.get_by_role("listitem")).to_have_text([each.title for each in products])
    assert asked == ["0", "4", "8"]


class Found(list[Any]):
    """A page of results; ``next`` names the one that follows."""

    next: str | None
