"""The shop's pages: what a visitor sees, and what stays hidden."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from demo_shop.catalogue.models import Product
from demo_shop.checking.pages import Page
from tests.demo.conftest import MakeProduct

pytestmark = pytest.mark.urls("demo_shop.urls")


def page(client: Client, path: str, *, status: int = 200) -> Page:
    response = client.get(path)
    assert response.status_code == status
    return Page(response.content.decode())


def test_a_product_page_shows_its_look_alikes_nearest_first(
    visitor: Client, make_product: MakeProduct, put_in_space: Callable[..., None]
) -> None:
    products = [make_product(f"Mug {number}") for number in range(4)]
    put_in_space(*products)
    shown = page(visitor, products[0].get_absolute_url())
    assert shown.similar == [product.pk for product in products[1:]]
    assert shown.product["data-category"] == "mugs"
    assert shown.product["photo"] == products[0].photo.url


def test_a_product_page_says_what_a_buyer_asks(visitor: Client, make_product: MakeProduct) -> None:
    product = make_product("Big mug", price="1234.50", stock=2, description="Holds <a lot>.")
    text = visitor.get(product.get_absolute_url()).content.decode()
    assert "€\u202f1,234.50" in text
    assert "Only 2 left" in text
    assert "Holds &lt;a lot&gt;." in text
    assert f'alt="{product.title}"' in text


def test_a_sold_out_product_shows_look_alikes_but_is_none(
    visitor: Client, make_product: MakeProduct, put_in_space: Callable[..., None]
) -> None:
    gone, here = make_product(stock=0), make_product()
    put_in_space(gone, here)
    assert page(visitor, gone.get_absolute_url()).similar == [here.pk]
    assert page(visitor, here.get_absolute_url()).similar == []


def test_only_a_sold_out_products_page_offers_what_can_be_bought(
    visitor: Client, make_product: MakeProduct, put_in_space: Callable[..., None]
) -> None:
    gone, here = make_product(stock=0), make_product()
    put_in_space(gone, here, make_product())
    for query in ("", "?similar=later"):
        for product in (gone, here):
            text = visitor.get(product.get_absolute_url() + query).content.decode()
            late = re.search(r'data-imgrec-lazy="([^"]+)"', text)
            if late:
                text = visitor.get(late[1]).content.decode()
            assert "imgrec-card" in text
            assert ("similar products you can buy" in text) == (product == gone)


def test_a_hidden_product_answers_like_an_unknown_one(
    visitor: Client, make_product: MakeProduct, put_in_space: Callable[..., None]
) -> None:
    hidden, seen = make_product("Secret", published=False), make_product()
    put_in_space(hidden, seen)
    unknown = f"/products/{hidden.pk + 999}/secret/"
    answers = [visitor.get(path) for path in (hidden.get_absolute_url(), unknown)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert page(visitor, seen.get_absolute_url()).similar == []
    for path in ("/", "/products/", "/products/?q=secret", "/categories/mugs/"):
        assert hidden.pk not in page(visitor, path).cards


def test_an_old_address_leads_to_the_present_one(
    visitor: Client, make_product: MakeProduct
) -> None:
    product = make_product("New name")
    response = visitor.get(f"/products/{product.pk}/old-name/")
    assert (response.status_code, response["Location"]) == (301, product.get_absolute_url())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("mug", {"Red mug", "Blue mug"}),
        ("MUG red", {"Red mug"}),
        ("sku-3", {"Green lamp"}),
        ("", {"Red mug", "Blue mug", "Green lamp"}),
        ("%", set()),
        ("nothing like that", set()),
    ],
)
def test_search_finds_every_word_in_titles_and_skus(
    visitor: Client, make_product: MakeProduct, query: str, found: set[str]
) -> None:
    for title in ("Red mug", "Blue mug", "Green lamp"):
        make_product(title)
    response = visitor.get("/products/", {"q": query})
    titles = Product.objects.filter(pk__in=Page(response.content.decode()).cards)
    assert {product.title for product in titles} == found


@pytest.mark.parametrize("query", ["\x00", "x" * 101, "<script>"])
def test_a_search_nobody_would_type_breaks_nothing(
    visitor: Client, make_product: MakeProduct, query: str
) -> None:
    make_product()
    response = visitor.get("/products/", {"q": query})
    assert response.status_code == 200
    assert b"<script>" not in response.content


def test_a_shelf_holds_its_own_and_an_unknown_one_is_404(
    visitor: Client, make_product: MakeProduct
) -> None:
    mug, lamp = make_product(), make_product("Lamp", shelf="Lamps")
    assert set(page(visitor, "/categories/lamps/").cards) == {lamp.pk}
    assert set(page(visitor, "/categories/mugs/").cards) == {mug.pk}
    page(visitor, "/categories/ships/", status=404)


def test_the_catalogue_comes_in_pages(visitor: Client, make_product: MakeProduct) -> None:
    products = [make_product(f"Mug {number}") for number in range(25)]
    first = page(visitor, "/products/?q=mug")
    assert len(first.cards) == 24
    assert first.next_page == "?q=mug&page=2"
    second = page(visitor, f"/products/{first.next_page}")
    assert set(first.cards) | set(second.cards) == {product.pk for product in products}
    assert set(page(visitor, "/products/?page=99").cards) == set(second.cards)


def test_the_opening_shows_a_product_and_its_relatives(
    visitor: Client, make_product: MakeProduct, put_in_space: Callable[..., None]
) -> None:
    older, newest = make_product("Older"), make_product("Newest")
    put_in_space(newest, older)
    text = visitor.get("/").content.decode()
    family = text.partition('class="family"')[2].partition("</ul>")[0]
    assert family.index(newest.get_absolute_url()) < family.index(older.get_absolute_url())


@pytest.mark.django_db
def test_an_empty_shop_opens(visitor: Client) -> None:
    assert "still empty" in visitor.get("/").content.decode()
    assert page(visitor, "/products/").cards == {}


def test_a_product_without_a_photo_has_a_page(visitor: Client, make_product: MakeProduct) -> None:
    product = make_product(photo="")
    assert "No photo yet" in visitor.get(product.get_absolute_url()).content.decode()
    assert "No photo yet" in visitor.get("/products/").content.decode()


def test_photos_are_served_in_a_sandbox(visitor: Client, make_product: MakeProduct) -> None:
    product = make_product()
    response = visitor.get(product.photo.url)
    with product.photo.open() as stored:
        assert b"".join(response.streaming_content) == stored.read()
    response.close()
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert visitor.get("/media/products/none.jpg").status_code == 404
    assert visitor.get("/media/../manage.py").status_code == 400
