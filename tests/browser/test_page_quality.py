"""What page auditors look for on the demo's pages, and that our list does not spoil it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.steps import CARDS, Seen

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
MOST_SCRIPT_BYTES = 10_000  # of ours, on a shopper's page
MOST_SHIFT = 0.1  # what Core Web Vitals call good
SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.shifts += each.hadRecentInput ? 0 : each.value;
}).observe({ type: "layout-shift", buffered: true });
"""
FACTS = """() => ({
  title: document.title,
  language: document.documentElement.lang,
  viewport: document.querySelector("meta[name=viewport]")?.content ?? "",
  description: document.querySelector("meta[name=description]")?.content ?? "",
  headings: document.querySelectorAll("h1").length,
  blocking: document.querySelectorAll("head script:not([defer], [async], [type=module])").length,
})"""
SCRIPTS = """() => performance.getEntriesByType("resource")
  .filter((each) => new URL(each.name).pathname.startsWith("/static/imgrec/"))
  .filter((each) => each.initiatorType === "script")
  .map((each) => each.decodedBodySize)"""
PHOTOS = """images => images.map(image => ({
  lazy: image.loading, width: image.width, height: image.height,
  sized: image.hasAttribute("width") && image.hasAttribute("height"),
}))"""


@pytest.mark.parametrize("query", ["", "?similar=later"])
def test_a_products_page(open_page: OpenPage, seen: Seen, query: str) -> None:
    phone = open_page(viewport=PHONE)
    phone.add_init_script(SHIFTS)
    phone.goto(seen.path + query)
    expect_found(phone.evaluate(FACTS))
    phone.locator(".footer").scroll_into_view_if_needed()
    expect(phone.locator(CARDS)).to_have_count(8)
    phone.wait_for_load_state("networkidle")
    assert phone.evaluate("window.shifts") < MOST_SHIFT
    assert sum(phone.evaluate(SCRIPTS)) < MOST_SCRIPT_BYTES
    photos = phone.locator(f"{CARDS} img").evaluate_all(PHOTOS)
    assert len(photos) == 8
    assert all(each["sized"] and each["lazy"] == "lazy" for each in photos), photos


@pytest.mark.parametrize("where", ["/", "/products/", "/similar-to-my-photo/"])
def test_the_other_pages(open_page: OpenPage, where: str) -> None:
    phone = open_page(viewport=PHONE)
    phone.add_init_script(SHIFTS)
    phone.goto(where, wait_until="networkidle")
    expect_found(phone.evaluate(FACTS))
    assert phone.evaluate("window.shifts") < MOST_SHIFT
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def expect_found(facts: dict[str, Any]) -> None:
    """See that a page says what it is, and lets itself be drawn at once."""
    assert all(facts[name] for name in ("title", "language", "description")), facts
    assert "width=device-width" in facts["viewport"]
    assert (facts["headings"], facts["blocking"]) == (1, 0), facts
