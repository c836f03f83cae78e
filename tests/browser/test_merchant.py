"""A merchant's work in the admin, and what shoppers see of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.demo import Demo
from tests.browser.steps import change, eventually, look_at, path_of
from tests.browser.wares import Wares

pytestmark = pytest.mark.browser

PRODUCTS = "/admin/shop/product/"


def test_a_changed_photo_brings_another_list(page: Page, merchant: Page, wares: Wares) -> None:
    before = look_at(page, path_of(page, wares.of_kind(4)[0]))
    shelf = ((ware, look_at(page, path_of(page, ware))) for ware in wares.of_kind(5))
    donor, twin = next(pair for pair in shelf if pair[1].pk not in before.look_alikes)

    change(merchant, before.pk, lambda form: form.locator("#id_photo").set_input_files(donor.photo))

    assert eventually(lambda: twin.pk in look_at(page, before.path).look_alikes[:1])
    assert look_at(page, before.path).look_alikes != before.look_alikes


def test_an_unpublished_product_is_gone_at_the_next_view(
    open_page: OpenPage, merchant: Page, wares: Wares
) -> None:
    page = open_page(forgive=(404,))
    seed = look_at(page, path_of(page, wares.of_kind(2)[5]))
    page.locator(".imgrec-card a").first.click()
    hidden = look_at(page, page.url)

    change(merchant, hidden.pk, lambda form: form.get_by_label("Published").uncheck())
    after = look_at(page, seed.path).look_alikes
    answer = page.goto(hidden.path)
    change(merchant, hidden.pk, lambda form: form.get_by_label("Published").check())

    assert answer is not None
    assert answer.status == 404
    assert hidden.pk not in after
    assert len(after) == 8
    assert look_at(page, seed.path).look_alikes == seed.look_alikes


def test_reindexing_everything_reaches_its_end(merchant: Page, wares: Wares) -> None:
    merchant.goto(PRODUCTS)
    merchant.get_by_role("link", name="Reindex all").click()
    expect(merchant.locator("#content-main")).to_contain_text(f"{len(wares.rows)} photos")
    merchant.get_by_role("button", name="Yes, reindex all").click()
    merchant.wait_for_url("**/imgrec/progress/**")
    expect(merchant.locator(".messagelist")).to_contain_text(f"{len(wares.rows)} photos queued.")
    # Nobody presses reload: the page brings itself up to date.
    expect(merchant.locator(".imgrec-summary")).to_have_text(
        f"The last reindex is finished: {len(wares.rows)} photos.", timeout=60_000
    )


def test_the_cancelled_reindex_changes_nothing(merchant: Page) -> None:
    merchant.goto(PRODUCTS)
    merchant.get_by_role("link", name="Reindex all").click()
    merchant.get_by_role("link", name="Cancel").click()
    merchant.wait_for_url("**/imgrec/progress/**")
    assert not merchant.locator(".messagelist").is_visible()


def test_a_failed_photo_is_listed_with_its_reason_and_tried_again(
    page: Page, merchant: Page, shop: Demo
) -> None:
    wares = shop.wares
    path = path_of(page, wares.damaged)
    pk = look_at(page, path).pk
    merchant.goto(PRODUCTS)
    merchant.get_by_role("link", name="Photos that failed").click()
    failure = merchant.locator(".imgrec-failures li", has_text=wares.damaged.title)
    expect(failure).to_contain_text("Damaged picture")
    expect(failure).to_contain_text("export it again and upload it")

    # The file is mended where it lies, so nothing but the retry can notice.
    file = merchant.locator(".imgrec-file").inner_text()
    (shop.media / file).write_bytes(wares.whole_photo)
    failure.get_by_role("button", name=re.compile("^Retry")).click()

    expect(merchant.locator(".messagelist .success")).to_have_text("1 photo queued.")
    assert eventually(lambda: bool(look_at(page, path).look_alikes))
    merchant.goto(f"{PRODUCTS}{pk}/change/")
    expect(merchant.locator(".imgrec-panel .imgrec-state")).to_have_text("ready")


def test_the_change_list_shows_and_filters_states(merchant: Page, wares: Wares) -> None:
    merchant.goto(f"{PRODUCTS}?q={wares.rows[7].sku}")
    expect(merchant.locator("td.field-imgrec_state")).to_have_text("ready")
    merchant.goto(f"{PRODUCTS}?imgrec_state=no_photo")
    expect(merchant.locator("td.field-imgrec_state")).to_have_count(0)


def test_reindexing_the_selected_says_how_many(merchant: Page, wares: Wares) -> None:
    merchant.goto(f"{PRODUCTS}?q={wares.rows[8].sku}")
    merchant.locator(".action-select").first.check()
    merchant.get_by_label("Action:").select_option(label="Reindex selected products")
    merchant.locator(".actions button").first.click()
    expect(merchant.locator(".messagelist .success")).to_contain_text("1 photo queued.")


def test_the_change_page_shows_the_list_shoppers_see(
    page: Page, merchant: Page, wares: Wares
) -> None:
    seen = look_at(page, path_of(page, wares.of_kind(3)[4]))
    titles = page.locator(".imgrec-grid .imgrec-title").all_inner_texts()
    merchant.goto(f"{PRODUCTS}{seen.pk}/change/")
    panel = merchant.locator(".imgrec-panel .imgrec-card-title").all_inner_texts()
    assert [title for title in panel if title in titles][: len(titles)] == titles
