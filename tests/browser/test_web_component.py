"""``<similar-products>``: a list on a page that no template of Django's has rendered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Page, expect

from tests.browser.accessibility import violations
from tests.browser.conftest import OpenPage
from tests.browser.fronts import open_front
from tests.browser.steps import CARDS, Seen
from tests.readme import snippets

pytestmark = pytest.mark.browser

SCRIPT = '<script type="module" src="/static/imgrec/similar-products.js"></script>'
ELEMENT = (
    '<similar-products src="{src}" heading="Looks like this" {more}>{before}</similar-products>'
)
BEFORE = '<a href="/products/">More of the same</a>'
MOST_BYTES = 4_096


def show(page: Page, pk: str, more: str = "", above: str = "") -> None:
    """Open a page with the element."""
    src = f"/api/shop/product/{pk}/similar/?limit=8"
    body = above + ELEMENT.format(src=src, more=more, before=BEFORE)
    open_front(page, head=SCRIPT, body=body)


def answer(page: Page, *results: object, status: int = 200) -> None:
    """Let the API answer so."""
    body = json.dumps({"results": results})
    page.route(
        "**/similar/?limit=8",
        lambda route: route.fulfill(status=status, body=body, content_type="application/json"),
    )


def test_it_is_small() -> None:
    assert Path(str(finders.find("imgrec/similar-products.js"))).stat().st_size < MOST_BYTES


def test_it_shows_what_the_tag_shows(open_page: OpenPage, seen: Seen) -> None:
    page = open_page(bypass_csp=True)
    show(page, seen.pk)
    expect(page.locator(CARDS)).to_have_count(8)
    keys = page.locator(CARDS).evaluate_all("cards => cards.map(card => card.dataset.pk)")
    assert keys == seen.look_alikes
    expect(page.get_by_role("region", name="Looks like this")).to_be_visible()
    expect(page.get_by_text("More of the same")).to_have_count(0)
    photo = page.locator(f"{CARDS} img").first
    photo.evaluate("image => image.decode()")
    assert violations(page) == []
    page.locator(f"{CARDS} a").first.click()
    page.wait_for_url("**/products/*/*/")


def test_the_docs_html_shows_it_and_tells_of_failures(open_page: OpenPage, seen: Seen) -> None:
    """All HTML that the documentation shows, on one page."""
    html = "".join(each.code for each in snippets("html"))
    page = open_page(forgive=(503,))
    open_front(page, body=html.replace("/catalogue/product/42/", f"/shop/product/{seen.pk}/"))
    expect(page.locator(CARDS)).to_have_count(8)
    answer(page, status=503)
    page.reload()
    expect(page.locator("similar-products")).to_be_hidden()


def test_it_asks_when_the_shopper_comes_near(page: Page, seen: Seen) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    show(page, seen.pk, above='<svg height="5000" width="1"></svg>')
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "/similar/" in url]
    page.locator("similar-products").scroll_into_view_if_needed()
    expect(page.locator(CARDS)).to_have_count(8)
    assert len([url for url in asked if "/similar/" in url]) == 1


def test_without_scripts_and_without_an_answer_what_stood_there_stays(
    open_page: OpenPage, seen: Seen
) -> None:
    bare = open_page(java_script_enabled=False)
    show(bare, seen.pk)
    expect(bare.get_by_role("link", name="More of the same")).to_be_visible()

    failing = open_page(forgive=(503,))
    answer(failing, status=503)
    failing.add_init_script(
        "addEventListener('imgrec:failed', e => { window.failed = String(e.detail.error); })"
    )
    show(failing, seen.pk)
    failing.wait_for_function("window.failed")
    assert "503" in failing.evaluate("window.failed")
    expect(failing.get_by_role("link", name="More of the same")).to_be_visible()
    expect(failing.locator("similar-products")).not_to_have_attribute("aria-busy", "true")


def test_names_are_text_and_links_lead_to_pages(page: Page, seen: Seen) -> None:
    hostile = {
        "pk": '"><script>',
        "title": "<img src=x onerror=alert(1)>",
        "url": "javascript:alert(1)",
        "image": "data:text/html,<script>alert(1)</script>",
    }
    answer(page, hostile)
    show(page, seen.pk)
    expect(page.locator(f"{CARDS} .imgrec-title")).to_have_text(hostile["title"])
    expect(page.locator(f"{CARDS} a, {CARDS} img, {CARDS} script")).to_have_count(0)


def test_the_front_end_has_routes_of_its_own(page: Page, seen: Seen) -> None:
    answer(page, {"id": 7, "name": "A cup", "slug": "a/cup", "photo": None})
    show(page, seen.pk, more='link="/p/{id}/{slug}"')
    link = page.get_by_role("link", name="A cup")
    expect(link).to_have_attribute("href", on_this_host(page, "/p/7/a%2Fcup"))


def on_this_host(page: Page, path: str) -> str:
    """Return the address of a path on this host."""
    found: str = page.evaluate("path => new URL(path, location).href", path)
    return found


def test_another_product_in_the_same_place(page: Page, seen: Seen) -> None:
    show(page, seen.pk)
    expect(page.locator(CARDS)).to_have_count(8)
    nothing = {"body": '{"results": []}', "content_type": "application/json"}
    page.route("**/another/", lambda route: route.fulfill(**nothing))
    element = page.locator("similar-products")
    element.evaluate("each => { each.setAttribute('src', '/another/'); }")
    expect(page.get_by_role("link", name="More of the same")).to_be_visible()
    expect(page.locator(CARDS)).to_have_count(0)
