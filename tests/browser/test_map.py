"""The map of the catalogue, and the switch between encoders, as a merchant meets them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import violations_of_ours
from tests.browser.album import MOST_BYTES, save
from tests.browser.conftest import OpenPage
from tests.browser.demo import Demo
from tests.browser.steps import look_at, path_of
from tests.browser.wares import Wares

pytestmark = pytest.mark.browser

MAP = "/admin/shop/product/imgrec/map/"
SPACES = "/admin/imgrec/space/"
READY = "[data-imgrec-ready]"


@pytest.fixture
def the_map(merchant: Page) -> Page:
    """The page with a map, which a worker makes first."""
    pytest.importorskip("openTSNE", reason='takes the extra: pip install "imgrec[map]"')
    merchant.goto("/admin/shop/product/")
    merchant.get_by_role("link", name="Map", exact=True).click()
    merchant.get_by_role("button", name=re.compile("^Make the map")).click()
    expect(merchant.locator(".messagelist .success")).to_have_text("A worker will make the map.")
    # Nobody presses reload: the page brings itself up to date.
    expect(merchant.get_by_role("button", name="Make the map anew")).to_be_visible(timeout=60_000)
    merchant.locator(READY).wait_for()
    return merchant


def test_a_map_is_made_looked_at_and_leads_to_the_products(
    the_map: Page, open_page: OpenPage, shop: Demo, wares: Wares, album: Path
) -> None:
    expect(the_map.locator("#content-main")).to_contain_text(" products (")
    assert save(the_map, album / "catalogue-map.webp") < MOST_BYTES
    categories = {each.category for each in wares.rows}
    legend = the_map.locator(".imgrec-legend li").all_inner_texts()
    assert set(legend) <= categories
    assert legend
    canvas = the_map.locator(".imgrec-map canvas")
    before = colours(the_map)
    assert before > len(legend), "nothing is drawn"

    inspected = open_page(bypass_csp=True, storage_state=shop.session)
    inspected.goto(MAP)
    inspected.locator(READY).wait_for()
    assert violations_of_ours(inspected) == []

    canvas.focus()
    for _ in range(4):
        the_map.keyboard.press("+")
    the_map.keyboard.press("ArrowRight")
    title = the_map.locator(".imgrec-map-title")
    expect(title).to_have_text(re.compile(r"\w"))
    shown = title.inner_text()
    assert shown in {each.title for each in wares.rows}
    the_map.keyboard.press("Enter")
    the_map.wait_for_url(re.compile(r"/admin/shop/product/\d+/change/"))
    expect(the_map.locator("#content")).to_contain_text(shown)


def test_whoever_may_not_view_products_sees_no_map(clerk: Page) -> None:
    for path in (MAP, f"{SPACES}shop.product.embedding/serve/"):
        answer = clerk.goto(path)
        assert answer is not None
        assert answer.status == 403


def test_a_space_that_is_not_whole_is_served_only_when_told_twice(
    page: Page, merchant: Page, wares: Wares
) -> None:
    seen = look_at(page, path_of(page, wares.of_kind(3)[2]))
    merchant.goto(SPACES)
    merchant.get_by_role("link", name="Serve this space").click()
    expect(merchant.locator(".imgrec-side")).to_have_count(2)
    serve = merchant.get_by_role("button", name=re.compile("^Serve "))
    serve.click()
    expect(merchant.locator(".messagelist .error")).to_contain_text("Not switched:")
    assert look_at(page, seen.path).look_alikes == seen.look_alikes

    merchant.get_by_label("Switch all the same").check()
    serve.click()
    expect(merchant.locator(".messagelist .success")).to_contain_text("The way back:")
    merchant.get_by_role("button", name=re.compile("^Back to ")).click()
    expect(merchant.locator(".messagelist .success")).to_contain_text("Shoppers now see")
    assert look_at(page, seen.path).look_alikes == seen.look_alikes


def colours(page: Page) -> int:
    """Count the colours on the map."""
    found: int = page.locator(".imgrec-map canvas").evaluate(
        "each => new Set(new Uint32Array(each.getContext('2d').getImageData("
        "0, 0, each.width, each.height).data.buffer)).size"
    )
    return found
