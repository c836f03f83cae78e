"""A merchant steers a list and sees why; a shopper sees the list steered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.album import MOST_BYTES, save
from tests.browser.steps import eventually, look_at, path_of
from tests.browser.wares import Wares

pytestmark = pytest.mark.browser

RULES = "/admin/imgrec/rule/"
HEADING = "Sold out \N{EN DASH} similar products you can buy"


@pytest.fixture
def no_rules_left(merchant: Page) -> Iterator[None]:
    """Leave the shop as it was found."""
    yield
    merchant.goto(RULES)
    if merchant.locator("#action-toggle").count():
        merchant.locator("#action-toggle").check()
        merchant.get_by_label("Action:").select_option("delete_selected")
        merchant.locator(".actions button").first.click()
        merchant.get_by_role("button", name="Yes, I").click()


@pytest.mark.usefixtures("no_rules_left")
def test_a_rule_made_from_the_steps_is_what_shoppers_see(
    page: Page, merchant: Page, wares: Wares, album: Path
) -> None:
    seen = look_at(page, path_of(page, wares.of_kind(3)[2]))
    change = f"/admin/shop/product/{seen.pk}/change/"
    merchant.goto(change)
    merchant.get_by_role("link", name="Step by step, and why not here").click()
    first = merchant.locator(f"tr[data-pk='{seen.look_alikes[0]}']")
    first.get_by_role("link", name="Block here").click()
    merchant.get_by_role("button", name="Save", exact=True).click()
    expect(merchant.locator(".messagelist .success")).to_contain_text("added successfully")
    merchant.goto(change)
    merchant.get_by_role("link", name="Step by step, and why not here").click()
    lifted = merchant.locator("tr.imgrec-out").nth(3)
    pinned = lifted.get_attribute("data-pk")
    lifted.get_by_role("link", name="Pin here").click()
    merchant.get_by_label("Position").fill("2")
    merchant.get_by_role("button", name="Save", exact=True).click()

    merchant.goto(change)
    merchant.get_by_role("link", name="Step by step, and why not here").click()
    merchant.get_by_label("Why not here").fill(seen.look_alikes[0])
    merchant.get_by_role("button", name="Show").click()
    expect(merchant.locator("[data-imgrec-why]")).to_contain_text("Blocked by rule")
    ranks = merchant.locator(f"tr[data-pk='{pinned}'] td.imgrec-number b")
    expect(ranks).to_have_text("2")
    expect(merchant.locator(".imgrec-trouble")).to_have_count(0)
    merchant.set_viewport_size({"width": 1280, "height": 1000})
    merchant.wait_for_load_state("networkidle")
    assert save(merchant, album / "steps.webp") < MOST_BYTES

    assert eventually(lambda: look_at(page, seen.path).look_alikes[1:2] == [pinned])
    steered = look_at(page, seen.path).look_alikes
    assert seen.look_alikes[0] not in steered
    assert len(steered) == len(seen.look_alikes)


@pytest.mark.usefixtures("no_rules_left")
def test_a_file_is_shown_before_it_is_imported(
    page: Page, merchant: Page, wares: Wares, tmp_path: Path
) -> None:
    seen = look_at(page, path_of(page, wares.of_kind(2)[1]))
    head = "action,target,target_value,beside,beside_value\n"
    file = tmp_path / "rules.csv"
    file.write_text(
        f"{head}block,product,{seen.look_alikes[0]},product,{seen.pk}\nblock,product,0,all,\n"
    )
    merchant.goto(RULES)
    merchant.get_by_role("link", name="Import CSV").click()
    merchant.get_by_label("CSV file").set_input_files(file)
    merchant.get_by_role("button", name="Show what it would do").click()
    expect(merchant.locator(".errornote")).to_contain_text("1 line cannot be imported")
    expect(merchant.locator(".imgrec-table")).to_contain_text("There is no product")

    file.write_text(file.read_text().replace("block,product,0,all,\n", ""))
    merchant.get_by_label("CSV file").set_input_files(file)
    merchant.get_by_role("button", name="Show what it would do").click()
    expect(merchant.locator("[data-imgrec-plan]")).to_contain_text("1 to be added")
    assert seen.look_alikes[0] in look_at(page, seen.path).look_alikes
    merchant.get_by_role("button", name="Yes, import").click()
    expect(merchant.locator(".messagelist .success")).to_have_text("1 rule was saved.")
    # a shop's first rule: another process may have looked for some a moment ago
    blocked = seen.look_alikes[0]
    assert eventually(lambda: blocked not in look_at(page, seen.path).look_alikes)

    with merchant.expect_download() as download:
        merchant.get_by_role("link", name="Export CSV").click()
    assert f"block,product,{seen.look_alikes[0]}" in download.value.path().read_text()


def test_a_sold_out_products_look_alikes_come_first(page: Page, wares: Wares) -> None:
    look_at(page, path_of(page, wares.sold_out))
    block = page.get_by_role("region", name=HEADING)
    expect(block).to_be_visible()
    top = "each => each.getBoundingClientRect().top"
    assert block.evaluate(top) < page.locator(".details").evaluate(top)
    assert block.locator(".imgrec-card").first.evaluate(top) < 900, "seen without scrolling"


def test_the_buying_list_names_what_to_buy(merchant: Page, wares: Wares) -> None:
    merchant.goto("/admin/shop/product/")
    merchant.get_by_role("link", name="Buying list").click()
    merchant.get_by_label("At least as similar").fill("1")
    merchant.get_by_role("button", name="Show").click()
    expect(merchant.locator("table.imgrec-table")).to_contain_text(wares.sold_out.title)
    merchant.get_by_label("At least as similar").fill("0")
    merchant.get_by_role("button", name="Show").click()
    expect(merchant.locator("#content-main")).to_contain_text("has enough look-alikes")


def test_without_the_right_there_is_no_page(clerk: Page, page: Page, wares: Wares) -> None:
    seen = look_at(page, path_of(page, wares.of_kind(3)[2]))
    for path in (
        RULES,
        f"{RULES}import/",
        f"{RULES}export/",
        f"/admin/shop/product/imgrec/steps/{seen.pk}/",
        "/admin/shop/product/imgrec/buying-list/",
    ):
        answer = clerk.goto(path)
        assert answer is not None
        assert answer.status == 403, path
