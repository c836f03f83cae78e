"""A real shop and a real browser in front of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.demo import Demo
from tests.browser.steps import Seen, look_at, path_of
from tests.browser.wares import Wares
from tests.browser.watching import Watch
from tests.conftest import SCREENSHOTS
from tests.worker import ROOT

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-quic",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MILLISECONDS = 20_000

OpenPage = Callable[..., Page]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """The folder that pictures of pages go to."""
    return ROOT / "docs" / "images" if SCREENSHOTS else tmp_path


@pytest.fixture(scope="session")
def shop(browser_path: str, running_demo: Demo) -> Demo:
    """The demo shop, where there is a browser to look at it."""
    return running_demo


# Not for the whole session: while Playwright runs, Django takes this thread for an event loop's
# and refuses the other tests their database.
@pytest.fixture(scope="module")
def browser(browser_path: str) -> Iterator[Browser]:
    """The machine's Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser_path, args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(shop: Demo, browser: Browser) -> Iterator[OpenPage]:
    """A function that opens a page in a context of its own; options as Playwright names them.

    At the end no page may have complained on its console or asked anybody but the shop.
    ``forgive`` lists statuses that the test provokes.
    """
    watches: list[Watch] = []

    def build(*, forgive: tuple[int, ...] = (), **options: Any) -> Page:
        size = {"width": 1280, "height": 900}
        context = browser.new_context(base_url=shop.address, **{"viewport": size, **options})
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        watches.append(Watch(context, shop.address, forgive=forgive))
        return context.new_page()

    yield build
    for watch in watches:
        watch.close()
    assert [problem for watch in watches for problem in watch.problems] == []


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A shopper's page."""
    return open_page()


@pytest.fixture
def seen(page: Page, wares: Wares) -> Seen:
    """A product that has look-alikes, as the shopper's page shows it."""
    return look_at(page, path_of(page, wares.of_kind(5)[9]))


@pytest.fixture
def merchant(open_page: OpenPage, shop: Demo) -> Page:
    """A page logged in to the admin."""
    if shop.session is None:
        page = open_page()
        log_in(page, shop.name, shop.password)
        shop.session = page.context.storage_state()
    return open_page(storage_state=shop.session)


@pytest.fixture
def clerk(open_page: OpenPage, merchant: Page) -> Page:
    """A page of staff without any right, who may be refused."""
    name, password = f"clerk-{secrets.token_hex(4)}", "a long walk home"
    merchant.goto("/admin/auth/user/add/")
    merchant.get_by_label("Username").fill(name)
    for field in ("password1", "password2"):
        merchant.locator(f"#id_{field}").fill(password)
    merchant.get_by_role("button", name="Save and continue editing").click()
    merchant.get_by_label("Staff status").check()
    merchant.get_by_role("button", name="Save", exact=True).click()
    page = open_page(forgive=(403,))
    log_in(page, name, password)
    return page


def log_in(page: Page, name: str, password: str) -> None:
    """Go through the admin's door."""
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
