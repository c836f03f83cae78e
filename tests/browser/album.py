"""Pictures of pages, as the docs show them."""

from __future__ import annotations

import io
from contextlib import suppress
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
    shot = taken(page, full_page=full_page)
    assert not is_blank(shot), "an empty page"
    path.parent.mkdir(parents=True, exist_ok=True)
    shot.save(path, quality=85, method=6)
    return path.stat().st_size


def taken(page: Page, *, full_page: bool) -> Image.Image:
    """Take a picture, anew where a page brought itself up to date in the middle of it."""
    for _again in range(3):
        with suppress(Error):
            shot = Image.open(io.BytesIO(page.screenshot(full_page=full_page)))
            if not is_blank(shot):
                return shot
        page.wait_for_load_state()
    return Image.open(io.BytesIO(page.screenshot(full_page=full_page)))


def is_blank(shot: Image.Image) -> bool:
    """Return whether a picture is of one colour."""
    darkest, brightest = shot.convert("L").getextrema()
    return bool(darkest == brightest)
