"""Sold-out products over HTTP: what can be bought instead, near in price if wanted."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from imgrec import indexing
from tests.pictures import upload
from tests.testapp.models import Product

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.integration.test_rest_framework")]


@pytest.fixture
def products(settings: Settings) -> list[Product]:
    """A sold-out one for 10, and others for 4, 7, 10 and 20."""
    settings.IMGREC = {**settings.IMGREC, "price": {"testapp.Product": "price"}}
    made = [
        Product.objects.create(title=f"P{n}", photo=upload(n / 100), price=price)
        for n, price in enumerate([10, 4, 7, 10, 20])
    ]
    indexing.work()
    Product.objects.filter(pk=made[0].pk).update(stock=0)
    return made


def answer(product: Product, **query: Any) -> Any:
    response = APIClient().get(f"/products/{product.pk}/similar/", query)
    assert response.status_code == 200, response.content
    return response.json()


def prices(told: Any) -> list[int]:
    return sorted(int(float(each["price"])) for each in told["results"])


def test_a_band_round_the_price(products: list[Product]) -> None:
    told = answer(products[0], price_band=0.3)
    assert prices(told) == [7, 10]
    assert "is_rescue" not in told, "nobody asked"


def test_a_sold_out_product_is_rescued_within_the_band(products: list[Product]) -> None:
    told = answer(products[0], rescue=1, price_band=0.3)
    assert told["is_rescue"] is True
    assert prices(told) == [7, 10]


def test_another_product_needs_no_rescue_and_has_no_band(products: list[Product]) -> None:
    told = answer(products[3], rescue="true", price_band=0.3)
    assert told["is_rescue"] is False
    assert prices(told) == [4, 7, 20]


def test_pages_of_a_rescue_follow_each_other(products: list[Product]) -> None:
    first = answer(products[0], rescue=1, price_band=0.3, limit=1)
    rest = answer(products[0], rescue=1, price_band=0.3, after=first["next"])
    assert sorted(prices(first) + prices(rest)) == [7, 10]


def test_a_part_takes_no_match(products: list[Product]) -> None:
    address = f"/products/{products[0].pk}/similar/"
    client = APIClient(raise_request_exception=False)
    response = client.get(address, {"part": "0,0,1,1", "min_match": 50})
    assert response.json()["code"] == "not_with_part"
