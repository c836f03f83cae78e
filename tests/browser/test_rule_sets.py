"""A merchant compares a rule set with none, shoppers see both, and the better one is kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from imgrec.earning import experiments
from imgrec.earning.tables import Experiment, ListCount
from imgrec.earning.tokens import today
from tests.browser.accessibility import violations_of_ours
from tests.browser.conftest import log_in
from tests.browser.test_counting import browser as browser  # a fixture
from tests.browser.test_counting import browser_called as browser_called
from tests.browser.test_counting import context_of, in_the_database
from tests.browser.test_counting import server as server
from tests.browser.test_screenshots import MOST_BYTES, save
from tests.testapp.models import Product

pytestmark = [pytest.mark.browser, pytest.mark.urls("tests.browser.counting_pages")]

NAME, PASSWORD = "merchant", "a long walk home"
SPACE = "testapp.product.embedding"
COUNTS = "/admin/imgrec/listcount/"


@pytest.fixture
def merchant(browser: Browser, server: LiveServer) -> Page:
    """A page of somebody who may do everything."""
    in_the_database(lambda: User.objects.create_superuser(NAME, password=PASSWORD))
    page = context_of(browser, server, viewport={"width": 1120, "height": 900}).new_page()
    log_in(page, NAME, PASSWORD)
    return page


def block_in_a_set(merchant: Page, key: int) -> None:
    merchant.goto("/admin/imgrec/rule/add/")
    merchant.get_by_label("Model:").select_option("testapp.product")
    merchant.get_by_label("Action:").select_option("block")
    merchant.locator("#id_target").select_option("product")
    merchant.locator("#id_target_value").fill(str(key))
    merchant.locator("#id_beside").select_option("all")
    merchant.get_by_label("Rule set:").fill("bold")
    merchant.get_by_role("button", name="Save", exact=True).click()
    expect(merchant.locator(".messagelist .success")).to_contain_text("added successfully")


def start_comparison(merchant: Page) -> None:
    merchant.goto(COUNTS)
    merchant.get_by_role("link", name="Compare two spaces or rule sets").click()
    merchant.get_by_label("Name:").fill("Bold?")
    for arm in "AB":
        merchant.get_by_label(f"Space {arm}:").select_option(SPACE)
    merchant.get_by_role("button", name="Save", exact=True).click()
    expect(merchant.locator(".errorlist")).to_contain_text("Let one thing differ")
    merchant.get_by_label("Rule set B:").select_option("bold")
    merchant.get_by_role("button", name="Save", exact=True).click()
    expect(merchant.locator(".messagelist .success")).to_contain_text("added successfully")
    experiments.forget()  # other processes look once in ten seconds


def lists(page: Page, path: str, views: int = 25) -> set[int]:
    """Return how many cards there were, of so many views."""
    found = set()
    for _view in range(views):
        page.goto(path)
        found.add(page.locator(".imgrec-card").count())
    return found


def count_a_week() -> None:
    made = Experiment.objects.get()
    for arm, clicked in (("a", made.needed // 50), ("b", made.needed // 25)):
        ListCount.objects.create(
            day=today() - timedelta(days=7),
            space=SPACE,
            experiment=made.pk,
            arm=arm,
            shard=0,
            shown=made.needed + 100,
            seen=made.needed,
            clicked=clicked,
            clicks=clicked,
        )


def test_a_better_rule_set_is_kept(
    merchant: Page, browser: Browser, server: LiveServer, tmp_path: Path
) -> None:
    first, blocked, *_others = in_the_database(
        lambda: list(Product.objects.order_by("pk").values_list("pk", flat=True))
    )
    shopper, path = context_of(browser, server).new_page(), f"/page/{first}/?above=0"
    assert lists(shopper, path, views=1) == {4}
    block_in_a_set(merchant, blocked)
    assert lists(shopper, path, views=5) == {4}, "a set that nobody shows"
    start_comparison(merchant)
    assert lists(shopper, path) == {3, 4}
    in_the_database(count_a_week)
    merchant.goto(COUNTS)
    expect(merchant.locator(".imgrec-ruling")).to_contain_text("B is better: +100 %")
    assert save(merchant, tmp_path / "earning.webp", full_page=True) < MOST_BYTES
    assert violations_of_ours(merchant) == []
    keep = merchant.get_by_role("button", name="Have the rules of “bold” always hold")
    keep.focus()
    merchant.keyboard.press("Enter")
    expect(merchant.locator(".messagelist .success")).to_have_text("1 rule always holds now.")
    assert lists(shopper, path) == {3}
