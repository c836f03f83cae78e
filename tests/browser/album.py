"""Pictures of pages, as the docs show them."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Error, Page

MOST_BYTES = 400_000


def bring_all_photos(page: Page) -> None:
    """Wait for photos that would come when a shopper comes near."""
    page.evaluate("document.querySelectorAll('img').forEach(each => each.loading = 'eager')")
    page.evaluate("Promise.all([...document.images].map(each => each.decode()))")


def save(page: Page, path: Path, *, full_page: bool = False) -> int:
    """Save what the window shows, or the whole page; return the file's size in bytes."""
    with Image.open(io.BytesIO(taken(page, full_page=full_page))) as shot:
        darkest, brightest = shot.convert("L").getextrema()
        assert darkest != brightest, "an empty page"
        path.parent.mkdir(parents=True, exist_ok=True)
        shot.save(path, quality=85, method=6)
    return path.stat().st_size


def taken(page: Page, *, full_page: bool) -> bytes:
    """Take a picture, once more where a page brought itself up to date in the middle of it."""
    try:
        return page.screenshot(full_page=full_page)
    except Error:
        return page.screenshot(full_page=full_page)
