"""The other tests rely on it: complaints and foreign requests are seen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.watching import Watch

pytestmark = pytest.mark.browser

HERE = "http://127.0.0.1:1"


@pytest.fixture
def context(browser: Browser) -> BrowserContext:
    return browser.new_context()


def test_a_request_to_a_stranger_is_noticed(context: BrowserContext) -> None:
    watch = Watch(context, HERE)
    with context.expect_event("requestfailed"):
        context.new_page().set_content('<img src="http://127.0.0.2:1/pixel.png">')
    watch.close()
    assert "a request to http://127.0.0.2:1/pixel.png" in watch.problems


@pytest.mark.parametrize("script", ["console.error('ouch')", "console.warn('ouch')"])
def test_a_complaint_on_the_console_is_noticed(context: BrowserContext, script: str) -> None:
    watch = Watch(context, HERE)
    with context.expect_event("console"):
        context.new_page().evaluate(script)
    watch.close()
    assert [each.rpartition(": ")[2] for each in watch.problems] == ["ouch"]


def test_an_error_nobody_catches_is_noticed(context: BrowserContext) -> None:
    watch = Watch(context, HERE)
    page = context.new_page()
    with context.expect_event("weberror"):
        page.evaluate("setTimeout(() => { throw new Error('ouch') })")
    watch.close()
    assert any("ouch" in each for each in watch.problems)


def test_a_quiet_page_is_no_problem(context: BrowserContext) -> None:
    watch = Watch(context, HERE)
    context.new_page().set_content('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">')
    watch.close()
    assert watch.problems == []
