"""imgrec on a shop it does not own, django-oscar: in a browser, and oscar's own tests."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from demo_shop.services import free_port
from tests.browser.album import MOST_BYTES, bring_all_photos, save
from tests.examples.oscar_shop import OscarShop

pytestmark = [pytest.mark.full, pytest.mark.browser, pytest.mark.timeout(600)]

CARDS = ".imgrec-card"
MUG = "Ocean mug, striped"
SHIRT = "Ocean t-shirt"


@pytest.fixture(scope="module")
def shop(oscar_shop: OscarShop) -> OscarShop:
    """The shop that ``page`` is in."""
    return oscar_shop


def look_alikes(page: Page, path: str) -> list[int]:
    """Open a product's page and return the keys of what is shown as similar."""
    page.goto(path, wait_until="domcontentloaded")
    keys = page.locator(CARDS).evaluate_all("cards => cards.map(card => card.dataset.pk)")
    return [int(key) for key in keys]


def test_a_product_page_shows_similar_products_as_oscar_shows_products(
    oscar_shop: OscarShop, page: Page
) -> None:
    mug, path = oscar_shop.product(MUG, "standalone")
    found = look_alikes(page, path)
    assert len(found) == len(set(found)) == 4
    assert mug not in found
    expect(page.locator(f"{CARDS} .product_price").first).to_contain_text("£")
    page.locator(f"{CARDS} h3 a").first.click()
    page.wait_for_url(f"**_{found[0]}/")
    assert page.locator(CARDS).count() == 4


def test_of_a_product_page(oscar_shop: OscarShop, page: Page, album: Path) -> None:
    """The tutorial's picture; see tests/browser/test_screenshots.py."""
    _mug, path = oscar_shop.product(MUG, "standalone")
    page.set_viewport_size({"width": 1120, "height": 900})
    assert len(look_alikes(page, path)) == 4
    bring_all_photos(page)
    end = page.locator(".imgrec").evaluate("list => list.getBoundingClientRect().bottom")
    page.set_viewport_size({"width": 1120, "height": round(end)})
    assert save(page, album / "oscar-product.webp") < MOST_BYTES


def test_what_is_hidden_or_allocated_is_gone_at_the_next_view(
    oscar_shop: OscarShop, page: Page
) -> None:
    _mug, path = oscar_shop.product(MUG, "standalone")
    hidden, sold_out, *others = look_alikes(page, path)
    hide = "UPDATE catalogue_product SET is_public = %s WHERE id = %s"
    allocate = "UPDATE partner_stockrecord SET num_allocated = {} WHERE product_id = %s"
    oscar_shop.sql(hide, False, hidden)
    oscar_shop.sql(allocate.format("num_in_stock"), sold_out)
    try:
        found = look_alikes(page, path)
    finally:
        oscar_shop.sql(hide, True, hidden)
        oscar_shop.sql(allocate.format("NULL"), sold_out)
    assert found[:2] == others
    assert {hidden, sold_out}.isdisjoint(found)
    assert len(found) == 4
    assert look_alikes(page, path) == [hidden, sold_out, *others]


def test_variants_stand_as_their_parent_once(oscar_shop: OscarShop, page: Page) -> None:
    """Shirts look like shirts, of which each colour has four photos on four products."""
    shirt, path = oscar_shop.product(SHIRT, "parent")
    found = look_alikes(page, path)
    parents = [pk for (pk,) in oscar_shop.sql("SELECT parent_id FROM catalogue_product")]
    assert len(found) == len(set(found)) == 4
    assert shirt not in found
    assert sum(pk in parents for pk in found) >= 2
    children = oscar_shop.sql("SELECT id FROM catalogue_product WHERE structure = 'child'")
    assert {pk for (pk,) in children}.isdisjoint(found)


def test_a_variant_without_a_photo_is_shown_by_its_parents(
    oscar_shop: OscarShop, page: Page
) -> None:
    variant, path = oscar_shop.product(SHIRT, "child")
    assert not oscar_shop.sql("SELECT FROM catalogue_productimage WHERE product_id = %s", variant)
    _shirt, parent_path = oscar_shop.product(SHIRT, "parent")
    assert look_alikes(page, path) == look_alikes(page, parent_path) != []


def test_a_parent_whose_variants_are_all_sold_out_is_no_look_alike(
    oscar_shop: OscarShop, page: Page
) -> None:
    _shirt, path = oscar_shop.product(SHIRT, "parent")
    parents = [pk for (pk,) in oscar_shop.sql("SELECT parent_id FROM catalogue_product")]
    other = next(pk for pk in look_alikes(page, path) if pk in parents)
    allocate = (
        "UPDATE partner_stockrecord SET num_allocated = {} WHERE product_id IN "
        "(SELECT id FROM catalogue_product WHERE parent_id = %s)"
    )
    oscar_shop.sql(allocate.format("num_in_stock"), other)
    try:
        found = look_alikes(page, path)
    finally:
        oscar_shop.sql(allocate.format("NULL"), other)
    assert other not in found
    assert len(found) == 4


def test_a_hidden_parent_takes_its_variants_with_it(oscar_shop: OscarShop, page: Page) -> None:
    _shirt, path = oscar_shop.product(SHIRT, "parent")
    parents = [pk for (pk,) in oscar_shop.sql("SELECT parent_id FROM catalogue_product")]
    other = next(pk for pk in look_alikes(page, path) if pk in parents)
    hide = "UPDATE catalogue_product SET is_public = %s WHERE id = %s"
    oscar_shop.sql(hide, False, other)
    try:
        found = look_alikes(page, path)
    finally:
        oscar_shop.sql(hide, True, other)
    assert other not in found
    assert len(found) == 4


def test_products_without_stock_keeping_are_never_sold_out(
    oscar_shop: OscarShop, page: Page
) -> None:
    """Of a product class that does not track stock; variants are of their parent's."""
    _mug, path = oscar_shop.product(MUG, "standalone")
    _shirt, shirt_path = oscar_shop.product(SHIRT, "parent")
    before = look_alikes(page, path), look_alikes(page, shirt_path)
    track = "UPDATE catalogue_productclass SET track_stock = %s"
    oscar_shop.sql("UPDATE partner_stockrecord SET num_allocated = num_in_stock")
    try:
        assert look_alikes(page, path) == []
        oscar_shop.sql(track, False)
        assert (look_alikes(page, path), look_alikes(page, shirt_path)) == before
    finally:
        oscar_shop.sql(track, True)
        oscar_shop.sql("UPDATE partner_stockrecord SET num_allocated = NULL")


def test_recommended_products_are_filled_and_a_merchants_pick_stays(
    oscar_shop: OscarShop, page: Page
) -> None:
    mug, path = oscar_shop.product(MUG, "standalone")
    picked, _ = oscar_shop.product("Sage cushion", "standalone")
    rows = "SELECT recommendation_id FROM catalogue_productrecommendation WHERE primary_id = %s"
    nearest = look_alikes(page, path)
    expect(page.get_by_role("heading", name="Recommended items")).to_be_visible()
    filled = oscar_shop.sql(f"{rows} ORDER BY ranking DESC", mug)
    assert [pk for (pk,) in filled][:4] == nearest
    try:
        oscar_shop.sql(
            "UPDATE catalogue_productrecommendation SET recommendation_id = %s "
            "WHERE primary_id = %s AND recommendation_id = %s", picked, mug, nearest[0],
        )  # fmt: skip
        oscar_shop.manage("fill_recommendations")
        assert oscar_shop.sql(rows, mug) == [(picked,)]
        oscar_shop.manage("fill_recommendations", "--forget")
        assert oscar_shop.sql("SELECT count(*) FROM catalogue_productrecommendation") == [(1,)]
    finally:
        oscar_shop.sql("DELETE FROM catalogue_productrecommendation WHERE primary_id = %s", mug)
        oscar_shop.manage("fill_recommendations")


def test_a_second_shop_is_told_what_is_taken(oscar_shop: OscarShop) -> None:
    port = oscar_shop.address.rpartition(":")[2]
    start = [oscar_shop.python, str(OscarShop.here / "run.py"), "--data", str(oscar_shop.folder)]
    told = {f"Port {port} is taken": port, "Stop it first": str(free_port())}
    for said, number in told.items():
        done = subprocess.run(
            [*start, "--port", number], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_oscars_migrations_stay_as_they_are(oscar_shop: OscarShop) -> None:
    said = oscar_shop.manage("makemigrations", "--check", "--dry-run")
    assert "No changes detected" in said


def test_oscars_own_tests_of_its_catalogue_pass(oscar_python: str) -> None:
    source = os.environ.get("IMGREC_OSCAR_SOURCE", "")
    if not source:
        pytest.skip(
            "no tests of oscar's: neither its wheel nor its sdist has them. Clone the repository "
            "and name the folder in IMGREC_OSCAR_SOURCE"
        )
    command = [oscar_python, str(OscarShop.here / "oscars_tests.py"), source]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 150, "fewer than oscar 4.2 has"
