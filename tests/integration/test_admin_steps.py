"""The page that shows how a list comes about, to those who may see the product."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from imgrec import similar, similar_products
from imgrec.results import SimilarProducts
from tests.integration.admin_pages import client_of, make_products, text_of
from tests.steering import rule
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db


def url_of(product: Product, **query: Any) -> str:
    name = "admin:testapp_product_imgrec_steps"
    return reverse(name, args=[product.pk], query=query or None)


@pytest.fixture
def products() -> list[Product]:
    return make_products(6)


def test_the_page_shows_the_list_and_what_is_not_in_it(products: list[Product]) -> None:
    blocked = rule("block", products[1], beside=products[0])
    client = client_of("view_product", "view_rule", "add_rule")
    response = client.get(url_of(products[0], limit=2))
    body = text_of(response)
    shown = [each.pk for each in similar_products(products[0], limit=2)]
    rows = response.context["rows"]
    assert response.context["is_same"]
    assert [row.line.key for row in rows if not row.line.why] == shown
    assert f"Blocked by rule {blocked.pk}." in body
    assert f'href="/admin/imgrec/rule/{blocked.pk}/change/"' in body
    assert body.count("Pin here") == len(products) - 1


def test_the_link_to_steer_fills_the_form(products: list[Product]) -> None:
    client = client_of("view_product", "add_rule")
    row = client.get(url_of(products[0])).context["rows"][0]
    form = client.get(row.add_urls["block"]).context["adminform"].form
    assert form["target_value"].value() == str(row.line.key)
    assert (form["action"].value(), form["beside_value"].value()) == ("block", str(products[0].pk))


@pytest.mark.parametrize("by_key", [True, False])
def test_why_not_here_by_key_and_by_words(products: list[Product], by_key: bool) -> None:
    Product.objects.filter(pk=products[3].pk).update(stock=0)
    asked = str(products[3].pk) if by_key else "Product 3"
    response = client_of("view_product").get(url_of(products[0], about=asked))
    assert "Not recommended" in text_of(response)
    assert response.context["about"].line.key == products[3].pk


def test_words_that_find_several_or_none(products: list[Product]) -> None:
    client = client_of("view_product")
    several = client.get(url_of(products[0], about="Product", limit=3))
    assert f"?limit=3&amp;about={products[1].pk}" in text_of(several)
    assert "No product has this key" in text_of(client.get(url_of(products[0], about="zebra")))


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"group_by": "colour"}, "is no column"),
        ({"fold": "7"}, "less than or equal"),
        ({"limit": "x"}, "whole number"),
    ],
)
def test_what_cannot_be_asked_is_said(products: list[Product], query: Any, says: str) -> None:
    assert says in text_of(client_of("view_product").get(url_of(products[0], **query)))


def test_options_are_those_of_the_search(products: list[Product]) -> None:
    options = {"limit": 3, "group_by": "stock", "diversity": 0.5, "min_similarity": 0.1}
    response = client_of("view_product").get(url_of(products[0], **options))
    assert len(response.context["steps"]) == 8
    plain = client_of("view_product").get(url_of(products[0]))
    assert len(plain.context["steps"]) == 5
    assert response.context["is_same"]


def test_a_hidden_product_has_no_list_and_says_so(products: list[Product]) -> None:
    Product.objects.filter(pk=products[0].pk).update(published=False)
    body = text_of(client_of("view_product").get(url_of(products[0])))
    assert "This product is hidden" in body


def test_what_shoppers_see_differently_is_admitted(
    products: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "similar_products", lambda seed, **_: SimilarProducts())
    assert "slightly different list" in text_of(client_of("view_product").get(url_of(products[0])))


def test_who_may_see(products: list[Product]) -> None:
    assert client_of("view_product").get(url_of(products[0])).status_code == 200
    assert client_of("view_item").get(url_of(products[0])).status_code == 403
    assert client_of().post(url_of(products[0])).status_code in {403, 405}
    plain = text_of(client_of("view_product").get(url_of(products[0])))
    rule("block", products[1])
    body = text_of(client_of("view_product").get(url_of(products[0])))
    assert "Pin here" not in plain
    assert "/admin/imgrec/rule/" not in body
    missing = Product(pk=987654)
    assert client_of("view_product").get(url_of(missing)).status_code == 404


def test_the_change_page_links_to_it(products: list[Product]) -> None:
    page = client_of("view_product").get(f"/admin/testapp/product/{products[0].pk}/change/")
    assert url_of(products[0]) in text_of(page)


def test_a_rule_set_can_be_tried_before_it_is_shown(products: list[Product]) -> None:
    client = client_of("view_product")
    assert "rule_set" not in text_of(client.get(url_of(products[0])))
    rule("block", products[1], beside=products[0], rule_set="bold")
    plain, bold = (client.get(url_of(products[0], rule_set=name)) for name in ("", "bold"))
    assert "Blocked by rule" not in text_of(plain)
    assert "Blocked by rule" in text_of(bold)
    assert plain.context["is_same"]
    assert bold.context["is_same"]
    assert "Select a valid choice" in text_of(client.get(url_of(products[0], rule_set="shy")))
