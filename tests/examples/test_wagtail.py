"""imgrec on images it does not own, Wagtail's: in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from demo_shop.seeding.drawn.catalogue import drawn_picture
from tests.browser.album import MOST_BYTES, bring_all_photos, save
from tests.conftest import SCREENSHOTS
from tests.examples.wagtail_shop import WagtailShop
from tests.waiting import wait_until
from tests.worker import ROOT

pytestmark = [pytest.mark.full, pytest.mark.browser, pytest.mark.timeout(600)]

CARDS = ".look-alikes .card"
CARD_KEYS = "cards => cards.map(card => card.dataset.pk)"
MUG = "Ocean mug, striped"
BOWL = "Ocean bowl, striped"
EMBEDDED = "SELECT embedded_at, source_name FROM wares_imageembedding WHERE owner_id = %s"


@pytest.fixture(scope="module")
def shop(wagtail_shop: WagtailShop) -> WagtailShop:
    """The shop that ``page`` is in."""
    return wagtail_shop


def look_alikes(page: Page, path: str) -> list[int]:
    """Open a product's page and return the keys of the pages that are shown as similar."""
    answer = page.goto(path, wait_until="domcontentloaded")
    assert answer is not None
    assert answer.status == 200
    return [int(key) for key in page.locator(CARDS).evaluate_all(CARD_KEYS)]


def keys(shop: WagtailShop, where: str, value: str) -> set[int]:
    """Return the keys of the pages that a condition finds."""
    found = shop.sql(f"SELECT id FROM wagtailcore_page WHERE {where}", value)
    assert found
    return {pk for (pk,) in found}


def open_image(page: Page, shop: WagtailShop, image: int) -> None:
    """Log in to Wagtail's admin and open the form of an image."""
    name, password = shop.account
    page.goto(f"/admin/login/?next=/admin/images/{image}/")
    page.locator("#id_username").fill(name)
    page.locator("#id_password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/admin/images/{image}/")


def save_image(page: Page) -> None:
    """Save the form, and see Wagtail say so."""
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/admin/images/")
    expect(page.get_by_text("updated.")).to_be_visible()


@contextmanager
def private(shop: WagtailShop, page_key: int) -> Iterator[None]:
    """Keep a page, and what is below it, for those who are logged in."""
    shop.sql(
        "INSERT INTO wagtailcore_pageviewrestriction (page_id, restriction_type, password)"
        " VALUES (%s, 'login', '')",
        page_key,
    )
    try:
        yield
    finally:
        shop.sql("DELETE FROM wagtailcore_pageviewrestriction WHERE page_id = %s", page_key)


def test_a_product_page_shows_similar_products_by_renditions(shop: WagtailShop, page: Page) -> None:
    mug, path, _image = shop.product(MUG)
    found = look_alikes(page, path)
    assert len(found) == len(set(found)) == 4
    assert mug not in found
    photos = page.locator(f"{CARDS} img")
    sources = photos.evaluate_all("photos => photos.map(photo => photo.src)")
    assert len(sources) == 4
    assert all(".fill-320x320." in source for source in sources)
    bring_all_photos(page)
    assert photos.evaluate_all("photos => photos.map(each => each.naturalWidth)") == [320] * 4
    expect(page.locator(f"{CARDS} .price").first).to_contain_text("€")
    page.locator(f"{CARDS} a").first.click()
    page.wait_for_url(lambda address: not address.endswith(path))
    assert page.locator(CARDS).count() == 4


def test_an_unpublished_product_is_gone_at_the_next_view(shop: WagtailShop, page: Page) -> None:
    _mug, path, _image = shop.product(MUG)
    hidden, *others = look_alikes(page, path)
    publish = "UPDATE wagtailcore_page SET live = %s WHERE id = %s"
    shop.sql(publish, False, hidden)
    try:
        found = look_alikes(page, path)
    finally:
        shop.sql(publish, True, hidden)
    assert found[:3] == others
    assert len(found) == 4
    assert hidden not in found
    assert look_alikes(page, path) == [hidden, *others]


def test_a_private_product_is_shown_to_nobody(shop: WagtailShop, page: Page) -> None:
    _mug, path, _image = shop.product(MUG)
    secret, *others = look_alikes(page, path)
    with private(shop, secret):
        found = look_alikes(page, path)
        page.goto("/mugs/")
        shelf = page.locator(".card").evaluate_all(CARD_KEYS)
    assert found[:3] == others
    assert len(found) == 4
    assert secret not in found
    assert shelf
    assert str(secret) not in shelf
    assert look_alikes(page, path) == [secret, *others]


def test_nothing_below_a_private_shelf_is_shown(shop: WagtailShop, page: Page) -> None:
    """A cushion with a mug's image is among mugs, until their shelf is private."""
    cushion, path, image = shop.product("Plum cushion")
    _mug, _path, its_image = shop.product(MUG)
    ((shelf, place),) = shop.sql("SELECT id, path FROM wagtailcore_page WHERE title = 'Mugs'")
    mugs = keys(shop, "path LIKE %s", f"{place}%")
    give = "UPDATE wares_productpage SET image_id = %s WHERE page_ptr_id = %s"
    shop.sql(give, its_image, cushion)
    try:
        before = look_alikes(page, path)
        with private(shop, shelf):
            found = look_alikes(page, path)
            page.goto("/")
            home = page.locator(".card").evaluate_all(CARD_KEYS)
            expect(page.get_by_role("link", name="Mugs")).to_have_count(0)
    finally:
        shop.sql(give, image, cushion)
    assert mugs.issuperset(before)
    assert len(before) == len(found) == 4
    assert mugs.isdisjoint(found)
    assert home
    assert mugs.isdisjoint(map(int, home))


def test_a_new_file_of_an_image_moves_its_products_list(
    shop: WagtailShop, page: Page, tmp_path: Path
) -> None:
    _bowl, path, image = shop.product(BOWL)
    before = look_alikes(page, path)
    picture = page.locator("article img").get_attribute("src")
    cushions = keys(shop, "title LIKE %s", "%cushion%")
    assert cushions.isdisjoint(before)
    file = tmp_path / "another.jpg"
    drawn_picture("cushion", "Ocean", "striped", seed=2).save(file)
    open_image(page, shop, image)
    page.locator("#id_file").set_input_files(file)
    save_image(page)
    assert wait_until(lambda: cushions.issuperset(look_alikes(page, path)), seconds=120)
    assert len(look_alikes(page, path)) == 4
    assert page.locator("article img").get_attribute("src") != picture


def test_an_edit_that_leaves_the_file_alone_costs_no_embedding(
    shop: WagtailShop, page: Page
) -> None:
    _mug, path, image = shop.product("Sage mug")
    before, vector = look_alikes(page, path), shop.sql(EMBEDDED, image)
    picture = page.locator("article img").get_attribute("src")
    open_image(page, shop, image)
    page.locator("#id_title").fill("A mug to hold")
    for name, value in {"x": 300, "y": 300, "width": 200, "height": 200}.items():
        page.locator(f"#id_focal_point_{name}").evaluate("(field, to) => field.value = to", value)
    save_image(page)
    assert shop.sql(
        "SELECT title, focal_point_x FROM wagtailimages_image WHERE id = %s", image
    ) == [("A mug to hold", 300)]
    assert look_alikes(page, path) == before
    assert page.locator("article img").get_attribute("src") != picture, "another crop"
    assert shop.sql(EMBEDDED, image) == vector
    assert shop.sql(
        "SELECT count(*) FROM imgrec_embeddingjob WHERE object_pk = %s", str(image)
    ) == [(0,)]


def test_wagtails_migrations_stay_as_they_are(shop: WagtailShop) -> None:
    said = shop.manage("makemigrations", "--check", "--dry-run")
    assert "No changes detected" in said


def test_of_a_product_page(shop: WagtailShop, page: Page, tmp_path: Path) -> None:
    """The picture in the tutorial; all its wares are drawn."""
    folder = ROOT / "docs" / "images" if SCREENSHOTS else tmp_path
    page.set_viewport_size({"width": 1100, "height": 900})
    _mug, path, _image = shop.product(MUG)
    assert len(look_alikes(page, path)) == 4
    bring_all_photos(page)
    assert save(page, folder / "wagtail-product.webp", full_page=True) < MOST_BYTES
