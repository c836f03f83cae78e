"""The list that comes after its page, as a shopper meets it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.steps import CARDS, look_at, path_of, tab_to
from tests.browser.wares import Wares

pytestmark = pytest.mark.browser

LOW = {"width": 390, "height": 300}  # a window so low that the list is far below it
PHONE = {"width": 390, "height": 844}
PLACE = ".imgrec-lazy"
ARRIVED = ".imgrec-arrived .imgrec-card"
FRAGMENT = "**/imgrec/similar/*/"


@pytest.fixture
def path(page: Page, wares: Wares) -> str:
    """The path of a product's page."""
    return path_of(page, wares.of_kind(3)[2])


def later(path: str) -> str:
    """Return the address where the same page loads its list late."""
    return f"{path}?similar=later"


def test_it_comes_when_the_shopper_comes_near(open_page: OpenPage, path: str) -> None:
    phone = open_page(viewport=LOW)
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.goto(later(path), wait_until="networkidle")
    assert not [url for url in asked if "/imgrec/similar/" in url]
    expect(phone.locator(PLACE)).to_have_count(1)

    phone.locator(".footer").scroll_into_view_if_needed()

    expect(phone.locator(ARRIVED)).to_have_count(8)
    expect(phone.locator(PLACE)).to_have_count(0)
    assert len([url for url in asked if "/imgrec/similar/" in url]) == 1


def test_it_is_the_list_the_page_would_have_brought(page: Page, path: str) -> None:
    eager = look_at(page, path)
    page.goto(later(path))
    expect(page.locator(ARRIVED)).to_have_count(8)
    shown = page.locator(CARDS).evaluate_all("cards => cards.map(card => card.dataset.pk)")
    assert shown == eager.look_alikes
    expect(page.get_by_role("region", name="Looks like this one")).to_be_visible()


def test_the_page_does_not_jump(open_page: OpenPage, path: str) -> None:
    held: list[Route] = []
    for size in (PHONE, {"width": 1280, "height": 900}):
        page = open_page(viewport=size)
        page.route(FRAGMENT, lambda route: held.append(route))
        with page.expect_request(FRAGMENT):
            page.goto(later(path))
            page.locator(".footer").scroll_into_view_if_needed()
        expect(page.locator(PLACE)).to_have_attribute("aria-busy", "true")
        before = page.evaluate("document.documentElement.scrollHeight")
        held.pop().continue_()
        expect(page.locator(ARRIVED)).to_have_count(8)
        after = page.evaluate("document.documentElement.scrollHeight")
        # Titles of two lines in some cards: a line a row at most.
        assert abs(after - before) <= 30 * 4, size
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_without_scripts_a_link_leads_to_the_list_and_back(open_page: OpenPage, path: str) -> None:
    bare = open_page(java_script_enabled=False, viewport=PHONE)
    bare.goto(later(path))
    expect(bare.locator(".imgrec-card").first).to_be_hidden()
    bare.get_by_role("link", name="Show similar products").click()
    expect(bare.locator(CARDS)).to_have_count(8)
    bare.get_by_role("heading", level=1).get_by_role("link").click()
    bare.wait_for_url(f"**{path}")


def test_who_stands_on_the_link_goes_on_in_the_list(page: Page, path: str) -> None:
    held: list[Route] = []
    page.route(FRAGMENT, lambda route: held.append(route))
    page.goto(later(path))
    tab_to(page, page.locator(".imgrec-later"))
    held.pop().continue_()
    expect(page.get_by_role("region", name="Looks like this one")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(f"{ARRIVED} a").first).to_be_focused()


def test_when_it_cannot_be_had_the_link_stays(open_page: OpenPage, path: str) -> None:
    page = open_page(forgive=(503,))
    page.route(FRAGMENT, lambda route: route.fulfill(status=503, body="<p>Later</p>"))
    page.goto(later(path), wait_until="networkidle")
    expect(page.locator(PLACE)).not_to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("link", name="Show similar products")).to_be_visible()


def test_a_login_page_does_not_come_in_its_place(page: Page, path: str) -> None:
    page.route(FRAGMENT, lambda route: route.fulfill(status=302, headers={"Location": "/"}))
    page.goto(later(path), wait_until="networkidle")
    expect(page.locator(PLACE)).to_have_count(1)
    expect(page.locator(".masthead")).to_have_count(1)


@pytest.mark.parametrize("status", [200, 204])
def test_nothing_to_show_leaves_nothing(page: Page, path: str, status: int) -> None:
    page.route(FRAGMENT, lambda route: route.fulfill(status=status, content_type="text/html"))
    page.goto(later(path), wait_until="networkidle")
    expect(page.locator(PLACE)).to_have_count(0)
    expect(page.locator(".imgrec")).to_have_count(0)
