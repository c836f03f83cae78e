"""What is counted in the database is what a browser did: no more, no less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from imgrec.earning.report import Counts, lines
from tests.browser.conftest import CHROMIUM
from tests.browser.steps import eventually
from tests.browser.watching import Watch
from tests.integration.admin_pages import make_products
from tests.testapp.models import Product

pytestmark = [pytest.mark.browser, pytest.mark.urls("tests.browser.counting_pages")]

LOOK_MILLISECONDS = 1200
GLANCE_MILLISECONDS = 300
# A browser's own name, where Chromium without a window calls itself headless.
NAME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
CARD = ".imgrec-card a"

Act = Callable[[Page], None]


@pytest.fixture
def server(
    live_server: LiveServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> LiveServer:
    """The shop, with counting on."""
    settings.IMGREC = {**settings.IMGREC, "count_clicks": True}
    monkeypatch.setattr(Product, "get_absolute_url", lambda p: f"/page/{p.pk}/", raising=False)
    make_products(5)
    return live_server


@pytest.fixture
def browser_called(server: LiveServer, browser_path: str) -> Iterator[Callable[[str], Browser]]:
    """A function that starts a browser of that name: "" for the one it has.

    Gone before Django empties its tables. The name is the whole browser's: what a page sends as
    it goes has that one, whatever its context was told.
    """
    with sync_playwright() as playwright:

        def launch(name: str) -> Browser:
            args = [*CHROMIUM, f"--user-agent={name}"] if name else CHROMIUM
            return playwright.chromium.launch(executable_path=browser_path, args=args)

        yield launch


@pytest.fixture
def browser(browser_called: Callable[[str], Browser]) -> Iterator[Browser]:
    """A visitor's browser."""
    chromium = browser_called(NAME)
    yield chromium
    chromium.close()


def in_the_database(work: Callable[[], Any]) -> Any:
    """Return what the work returns, in a thread that Playwright does not run in."""

    def closing() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(closing).result()


def counts() -> dict[str, Counts]:
    """Return what was counted, by placement."""
    return {each.placement: each.counts for each in in_the_database(lambda: lines(1))}


def context_of(browser: Browser, server: LiveServer, **options: Any) -> BrowserContext:
    """Return a context of a browser that knows where the shop is."""
    return browser.new_context(base_url=server.url, **options)


def scroll(page: Page) -> None:
    page.locator(".imgrec").first.scroll_into_view_if_needed()


def look(page: Page) -> None:
    scroll(page)
    page.wait_for_timeout(LOOK_MILLISECONDS)


def glance(page: Page) -> None:
    scroll(page)
    page.wait_for_timeout(GLANCE_MILLISECONDS)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(LOOK_MILLISECONDS)


def click(page: Page) -> None:
    with page.expect_navigation():
        page.locator(CARD).first.click()


def two_in_tabs(page: Page) -> None:
    """Open two cards behind, one of them twice: with the middle button and with Ctrl."""
    for button, modifiers in (("middle", []), ("left", ["ControlOrMeta"]), ("middle", [])):
        card = page.locator(CARD).nth(1 if modifiers else 2)
        with page.context.expect_page() as tab:
            card.click(button=button, modifiers=modifiers)  # type: ignore[arg-type]
        tab.value.close(run_before_unload=True)


def enter(page: Page) -> None:
    page.locator(CARD).nth(1).focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")


def menu(page: Page) -> None:
    page.locator(CARD).first.click(button="right")


def title(page: Page) -> None:
    page.locator(".imgrec-heading").click()


# What a visitor does on a page, and what is to be counted of it: seen, clicked, clicks.
VISITS: list[tuple[str, list[Act], tuple[int, int, int]]] = [
    ("nothing", [], (0, 0, 0)),
    ("looks", [look], (1, 0, 0)),
    ("glances", [glance], (0, 0, 0)),
    ("looks twice", [look, glance], (1, 0, 0)),
    ("clicks at once", [click], (1, 1, 1)),
    ("keyboard", [look, enter], (1, 1, 1)),
    ("misses", [look, menu, title], (1, 0, 0)),
]


def test_the_database_holds_what_the_browser_did(browser: Browser, server: LiveServer) -> None:
    context = context_of(browser, server)
    watch = Watch(context, server.url)
    sent: list[str] = []
    context.on("request", lambda each: sent.append(each.url) if "/count/" in each.url else None)
    pk = in_the_database(lambda: Product.objects.earliest("pk").pk)
    page = context.new_page()
    for later in ("", "&later"):
        for name, acts, _wanted in VISITS:
            page.goto(f"/page/{pk}/?place={name}{later}")
            if later:  # which takes the shopper near
                scroll(page)
                page.locator(".imgrec-arrived").wait_for()
                page.evaluate("scrollTo(0, 0)")
            for act in acts:
                act(page)
        page.goto("about:blank")
    wanted = {
        name: Counts(2, 2 * seen, 2 * clicked, 2 * clicks)
        for name, _acts, (seen, clicked, clicks) in VISITS
    }

    def of_our_visits() -> dict[str, Counts]:
        return {name: each for name, each in counts().items() if name in wanted}

    eventually(lambda: of_our_visits() == wanted)
    assert of_our_visits() == wanted
    assert not context.cookies()
    watch.close()
    assert watch.problems == []
    assert len(sent) <= 40, "two messages a page view, as a rule"


def test_tabs_opened_behind_count_as_clicks(browser: Browser, server: LiveServer) -> None:
    context = context_of(browser, server)
    pk = in_the_database(lambda: Product.objects.earliest("pk").pk)
    page = context.new_page()
    page.goto(f"/page/{pk}/?place=tabs&above=0")
    two_in_tabs(page)
    wanted = Counts(1, 1, 1, 2)
    eventually(lambda: counts().get("tabs") == wanted)
    context.close()
    assert counts()["tabs"] == wanted


ASKS = "Object.defineProperty(Navigator.prototype, '{}', {{get: () => {}}})"


@pytest.mark.parametrize(
    ("script", "name"),
    [
        (ASKS.format("globalPrivacyControl", "true"), NAME),
        (ASKS.format("doNotTrack", "'1'"), NAME),
        ("", ""),  # a program that runs scripts, and says that it is one
    ],
    ids=["GPC", "DNT", "headless"],
)
def test_who_is_not_to_be_counted_is_not(
    browser_called: Callable[[str], Browser], server: LiveServer, script: str, name: str
) -> None:
    browser = browser_called(name)
    context = context_of(browser, server)
    context.add_init_script(script)
    sent: list[str] = []
    context.on("request", lambda each: sent.append(each.url) if "/count/" in each.url else None)
    pk = in_the_database(lambda: Product.objects.earliest("pk").pk)
    page = context.new_page()
    page.goto(f"/page/{pk}/?above=0")
    look(page)
    click(page)
    assert not (script and sent), "who asks not to be tracked sends nothing at all"
    assert script or sent
    page.wait_for_timeout(GLANCE_MILLISECONDS)
    browser.close()
    assert counts() == {}
