"""Why two products are similar, and more like a part, as merchants and shoppers meet it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.album import MOST_BYTES, save
from tests.browser.conftest import OpenPage
from tests.browser.demo import Demo
from tests.browser.steps import look_at, path_of, tab_to
from tests.browser.wares import Wares

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
BOX = ".imgrec-part-photo [role=group]"


@pytest.fixture
def pk(page: Page, wares: Wares) -> str:
    """The key of a product."""
    return look_at(page, path_of(page, wares.of_kind(5)[3])).pk


def numbers(page: Page) -> list[float]:
    """Return the part the form says."""
    return [float(page.locator(f"[name={name}]").input_value()) for name in "xywh"]


def test_from_a_product_to_why(merchant: Page, pk: str, album: Path) -> None:
    merchant.goto(f"/admin/shop/product/{pk}/change/")
    merchant.get_by_role("link", name="Why is").first.click()
    expect(merchant.locator(".imgrec-summary")).to_contain_text("number 1 of the list")
    expect(merchant.locator(".imgrec-heat svg")).to_have_count(2)
    for words in merchant.locator("figcaption > p:nth-child(2)").all_inner_texts():
        assert words.startswith("Most of all: ")
    heat, photo = (merchant.locator(f".imgrec-heat {each}").first for each in ("svg", "img"))
    expect(heat).to_be_visible()
    assert heat.bounding_box() == photo.bounding_box()
    assert save(merchant, album / "why-similar.webp", full_page=True) < MOST_BYTES

    tab_to(merchant, merchant.get_by_label("Heat map"))
    merchant.keyboard.press("Space")
    expect(heat).to_be_hidden()
    merchant.get_by_text("Each cell, in percent").first.click()
    cells = merchant.locator(".imgrec-cells").first.locator("td").all_inner_texts()
    assert len(cells) == 49
    assert abs(sum(map(float, cells)) - 100) < 2.5, "each rounded to a tenth"


def test_on_a_phone(open_page: OpenPage, merchant: Page, shop: Demo, pk: str) -> None:
    phone = open_page(storage_state=shop.session, viewport=PHONE)
    phone.goto(f"/admin/shop/product/{pk}/change/")
    why = phone.get_by_role("link", name="Why is").first.get_attribute("href") or ""
    for address in (why, f"/admin/shop/product/imgrec/part/?product={pk}&x=10&y=10&w=50&h=50"):
        phone.goto(address)
        expect(phone.locator(".imgrec-heat svg, .imgrec-card").first).to_be_visible()
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_without_permission(open_page: OpenPage, pk: str) -> None:
    page = open_page(forgive=(403, 404))
    for name in ("why", "part"):
        page.goto(f"/admin/shop/product/imgrec/{name}/?product={pk}")
        expect(page.get_by_label("Password")).to_be_visible()


def test_a_part_by_dragging_and_by_the_keyboard(merchant: Page, pk: str) -> None:
    merchant.goto(f"/admin/shop/product/imgrec/part/?product={pk}")
    photo = merchant.locator(".imgrec-part-photo img")
    at = photo.bounding_box()
    assert at
    merchant.mouse.move(at["x"] + 0.1 * at["width"], at["y"] + 0.1 * at["height"])
    merchant.mouse.down()
    merchant.mouse.move(at["x"] + 0.2 * at["width"], at["y"] + 0.5 * at["height"])
    merchant.mouse.move(at["x"] + 0.7 * at["width"], at["y"] + 0.2 * at["height"])
    merchant.mouse.up()
    assert numbers(merchant) == pytest.approx([10, 10, 60, 10], abs=1)

    before = numbers(merchant)
    expect(merchant.locator(BOX)).to_be_focused()
    merchant.keyboard.press("ArrowDown")
    merchant.keyboard.press("Shift+ArrowDown")
    x, y, w, h = before
    assert numbers(merchant) == pytest.approx([x, y + 2, w, h + 2], abs=0.11)

    merchant.get_by_role("button", name="More like this part").click()
    expect(merchant.get_by_role("heading", name="Most like this part")).to_be_visible()
    expect(merchant.locator(".imgrec-card")).to_have_count(12)
    assert numbers(merchant) == pytest.approx([x, y + 2, w, h + 2], abs=0.11)


def test_a_shopper_finds_more_like_a_part(page: Page, pk: str) -> None:
    page.get_by_role("link", name="More like a part of this photo").click()
    expect(page.locator(BOX)).to_be_visible()
    page.get_by_role("button", name="Find more like it").click()
    expect(page.locator(".cards .card").first).to_be_visible()
    assert pk not in page.locator(".cards .card").evaluate_all("all => all.map(c => c.dataset.pk)")


def test_a_shopper_without_scripts_sets_numbers(open_page: OpenPage, page: Page, pk: str) -> None:
    bare = open_page(java_script_enabled=False, viewport=PHONE)
    bare.goto(page.url)
    bare.get_by_role("link", name="More like a part of this photo").click()
    bare.get_by_label("Width").fill("30")
    bare.get_by_role("button", name="Find more like it").click()
    expect(bare.locator(".cards .card").first).to_be_visible()
    expect(bare.get_by_label("Width")).to_have_value("30")
