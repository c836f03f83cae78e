"""The README's pictures. ``IMGREC_SCREENSHOTS=1 pytest tests/browser`` makes those in docs/ anew,
with a fuller shop; otherwise they go to a temporary folder, to see that they can be made.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.album import MOST_BYTES, bring_all_photos, save
from tests.browser.demo import Demo
from tests.browser.steps import Seen, eventually, look_at
from tests.conftest import SCREENSHOTS

pytestmark = pytest.mark.browser


def test_of_a_product_page(page: Page, seen: Seen, album: Path) -> None:
    page.set_viewport_size({"width": 1120, "height": 900})
    look_at(page, seen.path)
    bring_all_photos(page)
    assert save(page, album / "product-page.webp", full_page=True) < MOST_BYTES


def test_of_the_progress_of_a_reindex(merchant: Page, shop: Demo, album: Path) -> None:
    for photo in shop.media.rglob("*.jpg"):
        with photo.open("ab") as file:  # the same picture in another file: embedded once more
            file.write(b"\0")
    merchant.set_viewport_size({"width": 1280, "height": 620})
    merchant.goto("/admin/shop/product/imgrec/reindex/")
    merchant.get_by_role("button", name="Yes, reindex all").click()
    bar = merchant.locator("progress[data-imgrec-bar]")
    if SCREENSHOTS:
        merchant.wait_for_function("bar => bar.position > 0.3", arg=bar.element_handle())
    assert save(merchant, album / "admin-progress.webp") < MOST_BYTES
    expect(bar).to_have_count(0, timeout=120_000)


def test_of_a_space_at_a_glance(merchant: Page, album: Path) -> None:
    merchant.set_viewport_size({"width": 1280, "height": 900})
    merchant.goto("/admin/shop/product/imgrec/overview/")
    assert save(merchant, album / "admin-overview.webp", full_page=True) < MOST_BYTES


@pytest.mark.skipif(
    not SCREENSHOTS, reason="for IMGREC_SCREENSHOTS=1: takes a worker's next sweep, minutes"
)
def test_of_matches_in_percent(page: Page, seen: Seen, album: Path) -> None:
    page.set_viewport_size({"width": 1120, "height": 900})
    told = page.locator(".imgrec-match").first
    assert eventually(
        lambda: bool(page.goto(f"{seen.path}?match=1")) and told.is_visible(), seconds=90
    )
    bring_all_photos(page)
    assert save(page, album / "matches.webp", full_page=True) < MOST_BYTES
