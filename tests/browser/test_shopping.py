"""A shopper's way through the shop, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.demo import Demo
from tests.browser.steps import CARDS, look_alike_paths, look_at, path_of, send_photo, tab_to
from tests.browser.wares import Wares

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


def test_from_the_first_page_to_a_look_alike_by_keyboard(page: Page) -> None:
    page.goto("/")
    for link in (".shelf-tiles a", "main .card-link", f"{CARDS} a"):
        target = page.locator(link).first
        address = target.get_attribute("href")
        tab_to(page, target)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{address}")
    assert page.locator(CARDS).count() > 0


def test_the_first_tab_stop_skips_to_the_content(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_search_by_words(page: Page, wares: Wares) -> None:
    page.goto("/")
    page.get_by_role("searchbox").fill(wares.rows[3].title)
    page.keyboard.press("Enter")
    page.wait_for_url("**/products/?q=*")
    titles = page.locator("main .card-title").all_inner_texts()
    assert wares.rows[3].title in titles
    words = wares.rows[3].title.lower().split()
    assert all(word in title.lower() for title in titles for word in words)


def test_a_search_without_result_leads_on(page: Page) -> None:
    page.goto("/products/?q=zebra+hovercraft")
    expect(page.locator(".nothing")).to_contain_text("Nothing here goes by that name")
    page.locator(".nothing").get_by_role("link", name="everything").click()
    assert page.locator("main .card").count() > 0


def test_look_alikes_do_look_alike(page: Page, wares: Wares) -> None:
    ware = wares.of_kind(2)[0]
    seen = look_at(page, path_of(page, ware))
    shown = page.locator(f"{CARDS} .imgrec-similarity").all_inner_texts()
    similarities = [float(each) for each in shown]
    assert len(seen.look_alikes) == len(set(seen.look_alikes)) == 8
    assert seen.pk not in seen.look_alikes
    assert similarities == sorted(similarities, reverse=True)
    assert all(0 <= each <= 1 for each in similarities)
    shelf = {other.title for other in wares.of_kind(2)}
    assert shelf & set(page.locator(f"{CARDS} .imgrec-title").all_inner_texts())


def test_the_product_page_works_without_scripts(
    open_page: OpenPage, page: Page, wares: Wares
) -> None:
    path = path_of(page, wares.rows[4])
    bare = open_page(java_script_enabled=False)
    bare.goto(path)
    boxes = [card.bounding_box() for card in bare.locator(CARDS).all()]
    places = [(round(box["x"]), round(box["y"])) for box in boxes if box]
    assert len(places) == 8
    assert 1 < len({x for x, _y in places}) < 8 or len({y for _x, y in places}) == 1, "no grid"
    bare.locator(f"{CARDS} a").last.click()
    assert bare.locator(CARDS).count() > 0


def test_nothing_scrolls_sideways_on_a_phone(open_page: OpenPage, wares: Wares) -> None:
    phone = open_page(viewport=PHONE)
    product = path_of(phone, wares.rows[0])
    for path in ("/", "/products/", product, "/similar-to-my-photo/", "/products/?q=zebra"):
        phone.goto(path)
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def test_a_photo_of_ones_own_finds_what_it_shows(page: Page, wares: Wares) -> None:
    ware = wares.of_kind(3)[1]
    path = path_of(page, ware)
    send_photo(page, ware.photo)
    expect(page.locator("#found")).to_have_text("These come closest")
    best = page.locator("[data-similarity]").first
    assert best.locator("a").get_attribute("href") == path
    assert float(best.get_attribute("data-similarity") or 0) > 0.98
    expect(page.get_by_alt_text("Your photo")).to_be_visible()


def test_a_file_that_is_no_photo_is_told_kindly(open_page: OpenPage) -> None:
    page = open_page(forgive=(422,))
    note: FilePayload = {
        "name": "note.jpg",
        "mimeType": "image/jpeg",
        "buffer": b"Milk, bread, a new hat.",
    }
    send_photo(page, note)
    expect(page.get_by_role("alert")).to_contain_text("does not look like a photo")
    expect(page.get_by_role("button", name="Find similar products")).to_be_visible()


def test_a_photo_too_large_is_told_kindly(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(forgive=(413,))
    photo = tmp_path / "huge.jpg"
    photo.write_bytes(bytes(8_000_001))
    send_photo(page, photo)
    expect(page.get_by_role("alert")).to_contain_text("too large")


def test_what_is_sold_out_says_so_and_still_shows_look_alikes(page: Page, wares: Wares) -> None:
    path = path_of(page, wares.sold_out)
    expect(page.locator(f'.card:has(a[href="{path}"]) .badge')).to_have_text("Sold out")
    seen = look_at(page, path)
    expect(page.locator(".stock")).to_contain_text("Sold out")
    assert len(seen.look_alikes) == 8
    for other in look_alike_paths(page)[:3]:
        assert seen.pk not in look_at(page, other).look_alikes


def test_pages_are_served_to_whoever_asks_and_only_from_here(open_page: OpenPage) -> None:
    page = open_page(forgive=(404,))
    page.goto("/")
    shelf = page.locator(".shelf-tiles a").first.get_attribute("href") or ""
    for path in ("/", "/products/", shelf, "/similar-to-my-photo/", "/admin/login/"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
    page.goto("/nowhere/")
    expect(page.locator("h1")).to_have_text(re.compile(r"\w+"))


def test_the_demo_says_where_it_is(shop: Demo) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", shop.address)
    assert f"The shop is open: {shop.address}/" in shop.log()
