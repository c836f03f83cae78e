"""axe-core finds nothing to complain of, on any page of the demo shop or of imgrec's admin."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import OF_COLOURS, violations, violations_of_ours, walk
from tests.browser.conftest import OpenPage
from tests.browser.demo import Demo
from tests.browser.steps import CARDS, Seen, look_at, send_photo
from tests.browser.wares import Wares

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
ADMIN = re.compile(r"/admin/(imgrec/|shop/product/(N/change/|imgrec/)?)(?!.*export)")
OURS = {
    *(f"/admin/shop/product/imgrec/{name}/" for name in ("overview", "map", "part", "why")),
    *(f"/admin/shop/product/imgrec/{name}/" for name in ("failed", "progress", "steps/N")),
    *(f"/admin/imgrec/{name}/" for name in ("duplicatepair", "listcount", "rule", "rule/import")),
    *(f"/admin/imgrec/{name}/" for name in ("placeholder", "embeddingjob", "experiment/add")),
}


@pytest.fixture
def inspected(open_page: OpenPage) -> Callable[..., Page]:
    """Opens a page that axe may be put into: a policy of the shop's would keep it out."""
    return lambda **options: open_page(bypass_csp=True, **options)


def test_the_admin(inspected: Callable[..., Page], merchant: Page, shop: Demo) -> None:
    page = inspected(storage_state=shop.session)
    seen, found = set(), []
    for kind in walk(page, "/admin/shop/product/", lambda kind: bool(ADMIN.match(kind))):
        seen.add(kind)
        found += violations_of_ours(page)
        page.emulate_media(color_scheme="dark")
        found += violations_of_ours(page, OF_COLOURS)  # all that differs
        page.emulate_media(color_scheme="light")
    assert found == []
    assert seen >= OURS, OURS - seen


def test_the_shop(inspected: Callable[..., Page]) -> None:
    """At a desk by day, and on a phone at night."""
    page = inspected(viewport=DESK)
    others = ("/admin", "/api", "/media", "/static")
    seen, found = set(), []
    for kind in walk(page, "/", lambda kind: not kind.startswith(others)):
        seen.add(kind)
        found += violations(page)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(PHONE)
        found += violations(page)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESK)
    assert found == []
    assert seen >= {"/", "/products/", "/similar-to-my-photo/"}
    assert any(kind.startswith("/products/") and kind != "/products/" for kind in seen), seen


def test_what_a_photo_finds_and_what_comes_late(
    inspected: Callable[..., Page], wares: Wares, seen: Seen
) -> None:
    page = inspected()
    send_photo(page, wares.rows[3].photo)
    page.locator(".cards .card").first.wait_for()
    found = violations(page)
    late = f"{seen.path}?similar=later"
    alone = re.search(r'href="(/imgrec/similar/[^"]+/page/)"', page.request.get(late).text())
    assert alone is not None
    page.goto(alone[1])
    found += violations(page)
    look_at(page, late)
    page.keyboard.press("End")
    page.locator(CARDS).first.wait_for()
    assert [*found, *violations(page)] == []


def test_axe_is_not_blind(inspected: Callable[..., Page]) -> None:
    page = inspected()
    page.goto("/")
    page.evaluate("document.body.append(new Image())")
    assert any(": image-alt (critical): " in each for each in violations(page))
