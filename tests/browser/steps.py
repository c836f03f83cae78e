"""What shoppers and merchants do, as steps that several tests take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.wares import Ware

CARDS = ".imgrec-grid .imgrec-card"
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Seen:
    """A product's page as it is shown."""

    pk: str
    path: str
    look_alikes: list[str]  # keys, the most similar first


def path_of(page: Page, ware: Ware) -> str:
    """Find a ware by its SKU, as somebody with a catalogue in hand would."""
    page.goto(f"/products/?q={ware.sku}", wait_until="domcontentloaded")
    return page.locator("main .card-link").first.get_attribute("href") or ""


def look_at(page: Page, path: str) -> Seen:
    """Open a product's page."""
    page.goto(path, wait_until="domcontentloaded")
    pk = page.locator("[data-product]").get_attribute("data-product") or ""
    keys = page.locator(CARDS).evaluate_all("cards => cards.map(card => card.dataset.pk)")
    return Seen(pk, path, keys)


def look_alike_paths(page: Page) -> list[str]:
    """Return where the look-alikes on the present page lead."""
    links = page.locator(f"{CARDS} a")
    found: list[str] = links.evaluate_all("links => links.map(each => each.pathname)")
    return found


def tab_to(page: Page, target: Locator, *, most: int = 120) -> None:
    """Press Tab until the target has the focus, and see that this shows."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("each => each === document.activeElement"):
            break
    expect(target).to_be_focused()
    ring = "each => ['outlineStyle', 'boxShadow'].some(n => getComputedStyle(each)[n] !== 'none')"
    assert target.evaluate(ring), "the focus cannot be seen"


def send_photo(page: Page, photo: Path | FilePayload) -> None:
    """Search by a photo."""
    page.goto("/similar-to-my-photo/")
    page.get_by_label("Your photo").set_input_files(photo)
    page.get_by_role("button", name="Find similar products").click()


def change(page: Page, pk: str, edit: Callable[[Page], None]) -> None:
    """Edit a product in the admin and save it."""
    page.goto(f"/admin/shop/product/{pk}/change/", wait_until="domcontentloaded")
    edit(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text("was changed successfully")


def eventually(ask: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> bool:
    """Ask again and again; True as soon as the answer is yes."""
    deadline = time.monotonic() + seconds
    while not (found := ask()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found
