"""The panel "Similar products" of a change page: everything stored, and never in the way."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from imgrec import indexing
from tests.integration.admin_pages import client_of, make_failed, make_products, text_of, the_space
from tests.pictures import upload
from tests.testapp.models import Item, ItemPhoto, LimitedProduct, Product, TwoSpaces

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchant() -> Client:
    models = ("product", "item", "itemphoto", "twospaces", "limitedproduct")
    rights = [f"{right}_{model}" for right in ("view", "change") for model in models]
    return client_of(*rights, "add_product")


def change(row: Product | Item | ItemPhoto | TwoSpaces) -> str:
    """Return the address of a row's change page."""
    return f"/admin/testapp/{row._meta.model_name}/{row.pk}/change/"


def cards(body: str) -> list[str]:
    """Return the text of each look-alike."""
    found = re.findall(r'<li class="imgrec-card.*?</li>', body, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", card).split()) for card in found]


def test_look_alikes_with_their_similarity(merchant: Client) -> None:
    red, scarlet, blue = (
        Product.objects.create(title=title, photo=upload(hue))
        for title, hue in (("red", 0.0), ("scarlet", 0.02), ("blue", 0.6))
    )
    indexing.work()
    body = text_of(merchant.get(change(red)))
    shown = cards(body)
    assert [card.split()[0] for card in shown] == ["scarlet", "blue"]
    assert all(0 <= float(card.split()[1]) <= 1 for card in shown)
    assert f'href="{change(scarlet)}"' in body
    assert f'src="{blue.photo.url}"' in body
    assert "List of" in body
    assert "imgrec-state--ready" in body


def test_hidden_and_sold_out_ones_are_shown_and_marked(merchant: Client) -> None:
    products = make_products(4)
    Product.objects.filter(pk=products[1].pk).update(published=False)
    Product.objects.filter(pk=products[2].pk).update(stock=0)
    by_title = {card[:9]: card for card in cards(text_of(merchant.get(change(products[0]))))}
    assert "hidden" in by_title["Product 1"]
    assert "not recommended" in by_title["Product 2"]
    assert by_title["Product 3"].split()[3:] == ["Why", "similar"]


def test_a_hidden_product_has_its_panel_too(merchant: Client) -> None:
    products = make_products(3)
    Product.objects.filter(pk=products[0].pk).update(published=False)
    assert len(cards(text_of(merchant.get(change(products[0]))))) == 2


def test_before_the_list_is_there_it_is_searched(merchant: Client) -> None:
    products = make_products(3)
    the_space().list_model.objects.all().delete()
    body = text_of(merchant.get(change(products[0])))
    assert "the stored list is not there yet" in body
    assert len(cards(body)) == 2


def test_not_indexed_yet_and_failed(merchant: Client) -> None:
    make_products(2)
    bare = Product.objects.create(title="bare")
    body = text_of(merchant.get(change(bare)))
    assert "Not indexed yet." in body
    assert "no photo" in body
    assert "Not a picture" in text_of(merchant.get(change(make_failed())))


def test_alone_in_the_shop(merchant: Client) -> None:
    assert "No other product" in text_of(merchant.get(change(make_products(1)[0])))


def test_no_panel_where_a_product_is_added(merchant: Client) -> None:
    assert "imgrec-panel" not in text_of(merchant.get("/admin/testapp/product/add/"))


@pytest.mark.parametrize("damage", ["DROP TABLE {}", "ALTER TABLE {} DROP COLUMN similarities"])
def test_a_broken_list_table_leaves_the_page_alone(merchant: Client, damage: str) -> None:
    products = make_products(2)
    table = the_space().list_model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(damage.format(connection.ops.quote_name(table)))
    body = text_of(merchant.get(change(products[0])))
    assert "could not be read" in body
    assert 'name="_save"' in body
    form = {"title": "renamed", "price": "1", "stock": "1", "_continue": "1"}
    assert merchant.post(change(products[0]), form).status_code == 302
    assert Product.objects.filter(title="renamed").exists()


def test_a_title_that_raises_leaves_the_page_alone(
    merchant: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = make_products(2)
    monkeypatch.setattr(
        Product, "__str__", lambda self: "ok" if self.pk == products[0].pk else 1 / 0
    )
    assert "could not be read" in text_of(merchant.get(change(products[0])))


def test_titles_are_escaped(merchant: Client) -> None:
    products = make_products(2)
    Product.objects.update(title="<script>alert(1)</script>")
    body = text_of(merchant.get(change(products[0])))
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert" in body


def test_the_shop_s_template_stays(merchant: Client) -> None:
    body = text_of(merchant.get(change(make_products(1)[0])))
    assert "The shop&#x27;s own words." in body or "The shop's own words." in body
    assert "testapp/shop.css" in body
    assert "imgrec/admin.css" in body


def test_a_form_with_an_error_keeps_the_panel(merchant: Client) -> None:
    products = make_products(2)
    body = text_of(merchant.post(change(products[0]), {"price": "much"}))
    assert "errornote" in body
    assert len(cards(body)) == 1


def test_items_show_items_with_a_photo_each(merchant: Client) -> None:
    items = [Item.objects.create(title=f"Item {n}") for n in range(3)]
    for n, item in enumerate(items):
        for step in range(2):
            ItemPhoto.objects.create(item=item, image=upload(n / 3 + step / 10))
    indexing.work()
    body = text_of(merchant.get(change(items[0])))
    assert sorted(card[:6] for card in cards(body)) == ["Item 1", "Item 2"]
    first = items[1].photos.order_by("pk")[0]
    assert f'src="{first.image.url}"' in body
    assert "imgrec-panel" not in text_of(merchant.get(change(items[0].photos.all()[0])))


def test_a_child_model_has_its_parent_s_panel(merchant: Client) -> None:
    make_products(2)
    child = LimitedProduct.objects.create(title="limited", photo=upload(0.1))
    indexing.work()
    assert len(cards(text_of(merchant.get(change(child))))) == 2


def test_the_panel_is_of_the_served_space(merchant: Client) -> None:
    rows = [TwoSpaces.objects.create(photo=upload(hue)) for hue in (0.1, 0.4)]
    indexing.work()
    body = text_of(merchant.get(change(rows[0])))
    assert "testapp.twospaces.fine" in body
    assert len(cards(body)) == 1


def test_queries_do_not_grow_with_the_list(
    merchant: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    products = make_products(15)
    with django_assert_max_num_queries(14):
        body = text_of(merchant.get(change(products[0])))
    assert len(cards(body)) == 12
