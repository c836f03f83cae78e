"""The pages "Why similar" and "More like this part" of the admin, and who may see them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from imgrec import indexing, photo_queries
from tests.integration.admin_pages import client_of, make_products, page, text_of
from tests.integration.test_why import a_worker as a_worker  # a fixture
from tests.integration.test_why import flag
from tests.pictures import upload
from tests.testapp.models import Item, ItemPhoto, LimitedProduct, Product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("a_worker")]


@pytest.fixture
def merchant() -> Client:
    models = ("product", "item", "itemphoto", "limitedproduct")
    return client_of(*(f"view_{model}" for model in models))


def why(one: Any, other: Any, model: str = "product") -> str:
    return page("why", model, product=str(one.pk), other=str(other.pk))


def test_the_panel_links_to_it(merchant: Client) -> None:
    one, other, _third = make_products(3)
    body = text_of(merchant.get(f"/admin/testapp/product/{one.pk}/change/"))
    links = re.findall(r'href="([^"]+/imgrec/why/[^"]+)"', body)
    assert len(links) == 2
    assert any(f"other={other.pk}" in link for link in links)
    for link in links:
        assert "taken apart" in text_of(merchant.get(link.replace("&amp;", "&")))
    (part,) = re.findall(r'href="([^"]+/imgrec/part/[^"]+)"', body)
    assert "Drag a box" in text_of(merchant.get(part.replace("&amp;", "&")))


def test_it_says_how_much_and_where(merchant: Client) -> None:
    one, other = (
        Product.objects.create(title=title, photo=flag("red", right))
        for title, right in (("<b>one", "blue"), ("other", "lime"))
    )
    indexing.work()
    body = text_of(merchant.get(why(one, other)))
    assert "number 1 of the list" in body
    assert "shown to shoppers" in body
    assert body.count("<rect") >= 2 * 16
    assert re.search("Most of all: (upper |lower )?left", body)
    assert "&lt;b&gt;one" in body
    assert "<b>one" not in body
    assert "style=" not in body.partition('id="content-main"')[2]


def test_whether_shoppers_see_it(merchant: Client) -> None:
    one, other = make_products(2)
    for values, said in (
        ({"stock": 0}, "not recommended to shoppers"),
        ({"published": False}, "hidden from shoppers"),
    ):
        Product.objects.filter(pk=other.pk).update(**values)
        assert said in text_of(merchant.get(why(one, other)))


def test_of_a_product_with_several_photos(merchant: Client) -> None:
    one, other = (Item.objects.create(title=title) for title in ("one", "other"))
    for item, hue in ((one, 0.1), (one, 0.5), (other, 0.52)):
        ItemPhoto.objects.create(item=item, image=upload(hue))
    indexing.work()
    body = text_of(merchant.get(why(one, other, "item")))
    assert "number 1 of the list" in body
    assert merchant.get(why(one, other, "itemphoto")).status_code == 404


def test_a_childs_admin_explains_what_its_panel_shows(merchant: Client) -> None:
    child = LimitedProduct.objects.create(title="child", photo=upload(0.1))
    (other,) = make_products(1)
    assert "taken apart" in text_of(merchant.get(why(child, other, "limitedproduct")))
    assert merchant.get(why(other, child, "limitedproduct")).status_code == 404


@pytest.mark.parametrize("name", ["why", "part"])
def test_who_may_not_look(name: str) -> None:
    one, other = make_products(2)
    address = page(name, product=str(one.pk), other=str(other.pk))
    for client in (Client(), client_of(staff=False), client_of("view_item"), client_of()):
        assert client.get(address).status_code in (302, 403)
    assert client_of("view_product").get(address).status_code == 200
    assert client_of("view_product").post(address).status_code == 405


@pytest.mark.parametrize(
    "query", [{}, {"product": "0"}, {"product": "x"}, {"product": "\0"}, {"product": "9" * 30}]
)
def test_of_no_product(merchant: Client, query: dict[str, str]) -> None:
    for name in ("why", "part"):
        assert merchant.get(page(name, **query)).status_code == 404
    one, _other = make_products(2)
    both = {"product": str(one.pk), "other": query.get("product", "")}
    assert merchant.get(page("why", **both)).status_code == 404


def test_without_a_vector_or_a_worker_it_says_so(
    merchant: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMGREC = {**settings.IMGREC, "photo_wait_seconds": 0.05}
    one, other = make_products(2)
    bare = Product.objects.create(title="bare")
    assert "has no vector" in text_of(merchant.get(why(one, bare)))
    assert "has no vector" in text_of(merchant.get(page("part", product=str(bare.pk))))
    monkeypatch.setattr(photo_queries, "poke", lambda name: None)
    body = text_of(merchant.get(why(one, other)))
    assert "No worker answered" in body
    assert "Try again" in body


def test_a_part_by_numbers(merchant: Client) -> None:
    seed, like_left, like_right = (
        Product.objects.create(title=title, photo=flag(*colours), stock=0)
        for title, colours in (
            ("seed", ("red", "blue")),
            ("like left", ("red", "lime")),
            ("like right", ("lime", "blue")),
        )
    )
    indexing.work()
    for x, first in (("0", like_left), ("50", like_right)):
        asked = page("part", product=str(seed.pk), x=x, y="0", w="50", h="100")
        body = text_of(merchant.get(asked))
        found = re.findall(r'class="imgrec-card-title"><a[^>]*>([^<]+)', body)
        assert found[0] == first.title
        assert len(found) == 2, "sold out, but this is for merchants"
        assert f'name="x" min="0" max="99" step="any" value="{x}"' in body


@pytest.mark.parametrize(
    "numbers", [{"x": "a"}, {"x": "1"}, {"x": "0", "y": "0", "w": "0", "h": "5"}]
)
def test_what_is_no_part_is_said(merchant: Client, numbers: dict[str, str]) -> None:
    (seed,) = make_products(1)
    assert "four numbers" in text_of(merchant.get(page("part", product=str(seed.pk), **numbers)))
