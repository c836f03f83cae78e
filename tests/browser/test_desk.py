"""The merchant's desk in a real browser: the overview, and products with the same photo."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.album import MOST_BYTES, save
from tests.browser.conftest import OpenPage
from tests.browser.demo import Demo
from tests.browser.steps import change, eventually, look_at, path_of
from tests.browser.wares import Ware, Wares
from tests.conftest import SCREENSHOTS

pytestmark = pytest.mark.browser

OVERVIEW = "/admin/shop/product/imgrec/overview/"
DESK = "/admin/imgrec/duplicatepair/?space=shop.product.embedding_lite"
PHONE = {"width": 390, "height": 844}
CLUSTER = ".imgrec-cluster"
LOOKS = os.environ.get("IMGREC_LOOKS")  # a folder for pictures to look at


def recompressed(ware: Ware) -> FilePayload:
    """Return the ware's photo as another shop would save it."""
    out = io.BytesIO()
    with Image.open(ware.photo) as picture:
        picture.convert("RGB").reduce(2).save(out, "JPEG", quality=60)
    return {"name": "supplier.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def look(page: Page, name: str) -> None:
    if LOOKS:
        page.screenshot(path=str(Path(LOOKS) / f"{name}.png"), full_page=True)


@dataclass(frozen=True)
class Twins:
    """Two products that show the same photo, by title."""

    original: str
    copy: str


@pytest.fixture
def twins(page: Page, merchant: Page, wares: Wares) -> Iterator[Twins]:
    """One product shows another's photo, and workers have found out."""
    original, copy = wares.of_kind(4)[2], wares.of_kind(4)[7]
    pk = look_at(page, path_of(page, copy)).pk
    photo = recompressed(original)
    change(merchant, pk, lambda form: form.locator("#id_photo").set_input_files(photo))
    own = look_at(page, path_of(page, original))
    assert eventually(lambda: pk in look_at(page, own.path).look_alikes[:1])
    merchant.goto(DESK)
    merchant.get_by_role("button", name="Look for duplicates").click()
    expect(merchant.locator(".messagelist .success")).to_contain_text("Workers are looking")
    cluster = merchant.locator(CLUSTER, has_text=original.title)

    def is_there() -> bool:
        merchant.goto(DESK)
        return cluster.count() > 0

    assert eventually(is_there, seconds=180 if SCREENSHOTS else 60)  # a fuller shop takes longer
    yield Twins(original.title, copy.title)
    change(merchant, pk, lambda form: form.locator("#id_photo").set_input_files(copy.photo))


@pytest.mark.timeout(400)  # workers measure on copies first
def test_the_same_photo_is_decided_about_by_keyboard(
    merchant: Page, open_page: OpenPage, shop: Demo, twins: Twins, album: Path
) -> None:
    cluster = merchant.locator(CLUSTER, has_text=twins.copy)
    expect(cluster).to_contain_text(twins.original)
    for image in cluster.locator("img").all():
        assert image.evaluate("each => each.decode().then(() => each.naturalWidth)") > 0
    merchant.set_viewport_size({"width": 1280, "height": 900})
    assert save(merchant, album / "duplicates.webp") < MOST_BYTES
    for name, options in (("phone", {"viewport": PHONE}), ("dark", {"color_scheme": "dark"})):
        page = open_page(storage_state=shop.session, **options)
        page.goto(DESK)
        look(page, f"desk-{name}")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    count = merchant.locator(CLUSTER).count()
    cluster.focus()
    merchant.keyboard.press("n")
    expect(merchant.locator(".messagelist .success")).to_have_text("Remembered: not a duplicate.")
    expect(cluster).to_have_count(0)
    merchant.get_by_role("link", name="Decided").click()
    decided = merchant.locator(".imgrec-decided li", has_text=twins.copy)
    expect(decided).to_contain_text("not a duplicate")
    look(merchant, "desk-decided")
    decided.get_by_role("button", name="Ask again").click()
    merchant.get_by_role("link", name="To decide").click()
    expect(merchant.locator(CLUSTER)).to_have_count(count)


def test_a_reindex_is_paused_resumed_and_cancelled(merchant: Page, wares: Wares) -> None:
    merchant.goto(OVERVIEW)
    expect(merchant.locator("#content-main")).to_contain_text(f"Together {len(wares.rows)} rows")
    look(merchant, "overview")
    merchant.get_by_role("link", name="Reindex all").last.click()
    merchant.get_by_role("button", name="Yes, reindex all").click()
    merchant.goto(OVERVIEW)
    pause = merchant.get_by_role("button", name="Pause")
    if pause.count():  # sixty photos that are as they were take no time at all
        pause.click()
        expect(merchant.locator(".messagelist")).to_be_visible()
        look(merchant, "overview-paused")
        cancel = merchant.get_by_role("button", name="Cancel the reindex")
        if cancel.count():
            cancel.click()
    merchant.goto(OVERVIEW)
    expect(merchant.locator(".imgrec-summary")).to_contain_text("is finished", timeout=60_000)


def test_the_overview_on_a_phone_and_in_the_dark(
    open_page: OpenPage, merchant: Page, shop: Demo
) -> None:
    for name, options in (("phone", {"viewport": PHONE}), ("dark", {"color_scheme": "dark"})):
        page = open_page(storage_state=shop.session, **options)
        page.goto(OVERVIEW)
        expect(page.get_by_role("img").first).to_be_visible()
        look(page, f"overview-{name}")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_staff_without_the_permissions_see_neither(clerk: Page) -> None:
    for address in (OVERVIEW, DESK):
        answer = clerk.goto(address)
        assert answer is not None
        assert answer.status == 403
