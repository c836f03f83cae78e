"""Sold out: the page says so and offers what can be bought, and a list tells what to buy."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.template import Context, Template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from imgrec import buying, indexing, similar_products
from imgrec.admin import buying_page
from imgrec.rescue import is_sold_out
from imgrec.tracing import trace
from tests.integration.admin_pages import client_of, text_of, the_space
from tests.pictures import upload
from tests.shapes import SHAPES, Shape
from tests.steering import rule
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db

HEADING = "Sold out \N{EN DASH} similar products you can buy"
TAG = "{% load imgrec %}{% similar_products product rescue=True price_band=0.3 title='Like it' %}"


@pytest.fixture(autouse=True)
def _prices(settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "price": {"testapp.Product": "price"}}


@pytest.fixture
def products() -> list[Product]:
    """A sold-out red one for 10, and others nearly as red for 4, 7, 10, 13 and 20."""
    prices = [10, 4, 7, 10, 13, 20]
    made = [
        Product.objects.create(title=f"P{n}", photo=upload(n / 100), price=price)
        for n, price in enumerate(prices)
    ]
    indexing.work()
    Product.objects.filter(pk=made[0].pk).update(stock=0)
    return made


def rendered(text: str, product: Product) -> str:
    return Template(text).render(Context({"product": product}))


def prices(found: Any) -> list[int]:
    return sorted(int(each.price) for each in found)


def test_a_band_round_the_price(products: list[Product]) -> None:
    seed = products[0]
    assert prices(similar_products(seed, price_band=0.3)) == [7, 10, 13]
    assert prices(similar_products(seed, price_band=0.29)) == [10]
    assert prices(similar_products(seed, price_band=5)) == [4, 7, 10, 13, 20]
    assert len(similar_products(seed, price_band=0.3, limit=2)) == 2
    found = similar_products(seed, price_band=0.3, group_by="price", diversity=0.5)
    assert set(prices(found)) <= {7, 13}
    Product.objects.filter(pk=products[3].pk).update(price=100)
    assert prices(similar_products(seed, price_band=0.3)) == [7, 13], "no list is out of date"


def test_a_band_holds_for_pins_and_through_pages(products: list[Product]) -> None:
    rule("pin", products[5])
    rule("pin", products[4])
    found = similar_products(products[0], price_band=0.3, limit=1)
    assert [each.title for each in found] == ["P4"]
    rest = similar_products(products[0], price_band=0.3, limit=5, after=found.next)
    assert prices(rest) == [7, 10]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"price_band": 0}, "above 0"),
        ({"price_band": float("nan")}, "above 0"),
        ({"price_band": float("inf")}, "above 0"),
    ],
)
def test_a_band_that_is_none(products: list[Product], options: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        similar_products(products[0], **options)


def test_a_band_is_round_one_price_that_is_known(products: list[Product], settings: Any) -> None:
    with pytest.raises(ValueError, match="one product"):
        similar_products(products[:2], price_band=0.3)
    settings.IMGREC = {**settings.IMGREC, "price": {}}
    with pytest.raises(ValueError, match=r"IMGREC = \{.price.: \{.testapp.Product.: .price.\}\}"):
        similar_products(products[0], price_band=0.3)


def test_the_page_of_a_sold_out_product_says_so(products: list[Product]) -> None:
    html = rendered(TAG, products[0])
    assert HEADING in html
    assert "Like it" not in html
    assert html.count("<li") == 3, "within the band"


def test_another_page_is_as_ever(products: list[Product]) -> None:
    html = rendered(TAG, products[1])
    assert "Like it" in html
    assert HEADING not in html
    assert html.count("<li") == 4, "no band, and nothing sold out"


def test_a_late_list_rescues_as_well(products: list[Product], client: Client) -> None:
    late = TAG.replace("rescue", "lazy=True rescue")
    for product, says in ((products[0], HEADING), (products[1], "Like it")):
        html = rendered(late, product)
        address = html.partition('data-imgrec-lazy="')[2].partition('"')[0]
        assert says in client.get(address).content.decode()


def test_it_costs_one_statement(products: list[Product]) -> None:
    plain = TAG.replace("rescue=True price_band=0.3 ", "")
    rendered(plain, products[0])

    def selects(text: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            rendered(text, products[0])
        return sum(each["sql"].startswith("SELECT") for each in captured)

    assert selects(TAG.replace("price_band=0.3 ", "")) == selects(plain) + 1


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_sold_out_is_visible_and_not_recommended(shape: Shape) -> None:
    kinds = [{"stock": 1}, {"stock": 0}, {"stock": 0, "published": False}]
    made = [shape.make(None, **values) for values in kinds]
    assert [is_sold_out(each) for each in made] == [False, True, False]


# What to buy


def report(*arguments: str) -> str:
    out = io.StringIO()
    call_command("imgrec_buying_list", "testapp.Product", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def gaps(products: list[Product]) -> list[Product]:
    """Two sold-out products that nothing looks like, one of them without a photo."""
    alone = Product.objects.create(title="=Alone", photo=upload(0.5))
    bare = Product.objects.create(title="Bare")
    indexing.work()
    Product.objects.filter(pk__in=[alone.pk, bare.pk]).update(stock=0)
    return [alone, bare]


def test_sold_out_products_with_too_few_look_alikes(gaps: list[Product]) -> None:
    alone, bare = gaps
    found = [json.loads(line) for line in report("--json").splitlines()]
    assert [each["key"] for each in found] == [str(alone.pk), str(bare.pk)]
    assert found[0]["look_alikes"] == 0
    assert found[0]["nearest"].startswith("P")
    assert 0 <= found[0]["similarity"] < 0.75
    assert (found[1]["nearest"], "no photo" in found[1]["why"]) == (None, True)


def test_what_is_enough_and_what_is_good(gaps: list[Product]) -> None:
    assert "3 sold-out products leave a gap." in report("--fewer-than", "6")
    assert "1 sold-out products leave a gap." in report("--min-similarity", "0.0")
    for arguments in (("--fewer-than", "0"), ("--min-similarity", "2")):
        with pytest.raises(CommandError, match="--fewer-than takes"):
            report(*arguments)


def test_as_a_spreadsheet(gaps: list[Product]) -> None:
    rows = list(csv.DictReader(io.StringIO(report("--csv"))))
    assert [row["product"] for row in rows] == ["'=Alone", "Bare"]
    assert rows[0]["price"] == "0.00"


def test_rules_count_as_shoppers_see_them(gaps: list[Product], products: list[Product]) -> None:
    for product in products[1:4]:
        rule("block", product, beside=products[0])
    assert str(products[0].pk) in [str(gap.product.pk) for gap in buying.gaps(the_space())]


def test_windows_miss_nobody(gaps: list[Product], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buying, "WINDOW", 1)
    seen: list[Any] = []
    found = list(buying.gaps(the_space(), seen=seen.append))
    assert [each.product.pk for each in found] == [each.pk for each in gaps]
    assert len(seen) == 3
    later = list(buying.gaps(the_space(), after=gaps[0].pk))
    assert [each.product.pk for each in later] == [gaps[1].pk]


def test_the_page_goes_on_where_it_ended(
    gaps: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of("view_product")
    address = reverse("admin:testapp_product_imgrec_buying_list")
    whole = client.get(address)
    assert [row.gap.product.pk for row in whole.context["rows"]] == [each.pk for each in gaps]
    assert whole.context["is_last"]
    monkeypatch.setattr(buying_page, "SECONDS_A_PAGE", -1.0)
    shown = []
    while address:
        response = client.get(address)
        shown += [row.gap.product.pk for row in response.context["rows"]]
        address = response.context["next_url"]
    assert shown == [each.pk for each in gaps]


def test_who_may_see_the_page(gaps: list[Product]) -> None:
    address = reverse("admin:testapp_product_imgrec_buying_list")
    assert "Nearest in stock" in text_of(client_of("view_product").get(address))
    assert client_of("view_item").get(address).status_code == 403
    assert client_of("view_product").post(address).status_code == 405
    assert client_of("view_product").get(f"{address}?after=x").status_code == 404
    assert "less than or equal" in text_of(
        client_of("view_product").get(f"{address}?min_similarity=7")
    )
    link = f'href="{address}"'
    assert link in text_of(client_of("view_product").get("/admin/testapp/product/"))


def test_the_trace_of_a_sold_out_product(products: list[Product]) -> None:
    assert trace(products[0]).keys == [each.pk for each in similar_products(products[0])]
