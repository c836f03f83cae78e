"""The shop's change list: states, filters, the action, and the shop's own things beside them."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.core.files.base import ContentFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from imgrec import indexing
from imgrec.models import EmbeddingJob, Space
from imgrec.space_rows import serve
from tests.integration.admin_pages import client_of, make_failed, make_products, text_of
from tests.pictures import upload
from tests.testapp import models
from tests.testapp.admin import PlainAdmin
from tests.testapp.models import Item, ItemPhoto, Product, TwoSpaces

pytestmark = pytest.mark.django_db

LIST = "/admin/testapp/product/"


@pytest.fixture
def merchant() -> Client:
    models_ = ("product", "item", "itemphoto", "twospaces")
    rights = [f"{right}_{model}" for right in ("view", "change") for model in models_]
    return client_of(*rights, "delete_product")


def states(client: Client, url: str = LIST) -> list[str]:
    """Return the words of the state column, from top to bottom."""
    cells = re.findall(r'field-imgrec_state">(.*?)</td>', text_of(client.get(url)), re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in cells]


def test_each_state_is_told_in_words(merchant: Client) -> None:
    make_products(1)
    make_failed()
    Product.objects.create(title="no photo")
    Product.objects.create(title="queued", photo=upload(0.5))
    Product.objects.bulk_create([Product(title="missing", photo="products/m.png")])
    stale = Product.objects.get(title="Product 0")
    leased = Product.objects.create(title="leased", photo=upload(0.7))
    EmbeddingJob.objects.filter(object_pk=str(leased.pk)).update(state="leased")
    assert states(merchant, f"{LIST}?o=1") == [
        "failed Not a picture",  # Broken
        "ready",
        "being embedded",
        "missing",
        "no photo",
        "queued",
    ]
    Product.objects.filter(pk=stale.pk).update(photo="products/other.png")
    assert "out of date" in states(merchant)


def test_the_column_sorts(merchant: Client) -> None:
    make_products(2)
    make_failed()
    headers = ["action", "title", "price", "published", "imgrec_state"]
    column = headers.index("imgrec_state")
    assert states(merchant, f"{LIST}?o={column}") == ["failed Not a picture", "ready", "ready"]
    assert states(merchant, f"{LIST}?o=-{column}")[2] == "failed Not a picture"


def test_the_filters(merchant: Client) -> None:
    make_products(3)
    make_failed()
    Product.objects.create(title="empty", photo=ContentFile(b"", name="empty.png"))
    indexing.work()
    assert states(merchant, f"{LIST}?imgrec_state=ready") == ["ready"] * 3
    assert len(states(merchant, f"{LIST}?imgrec_state=failed")) == 2
    assert states(merchant, f"{LIST}?imgrec_reason=not_an_image") == ["failed Not a picture"]
    body = text_of(merchant.get(LIST))
    assert "?imgrec_reason=empty_file" in body
    assert "?imgrec_reason=damaged" not in body
    faceted = text_of(merchant.get(f"{LIST}?_facets=True"))
    assert re.search(r"ready \(3\)", faceted)
    assert re.search(r"failed \(2\)", faceted)


def test_filters_and_search_together(merchant: Client) -> None:
    make_products(3)
    assert len(states(merchant, f"{LIST}?imgrec_state=ready&published__exact=1&q=Product+1")) == 1


def test_no_filter_of_reasons_while_nothing_failed(merchant: Client) -> None:
    make_products(1)
    assert "reason of failure" not in text_of(merchant.get(LIST))


def test_what_the_shop_declared_is_still_there(merchant: Client) -> None:
    make_products(1)
    body = text_of(merchant.get(LIST))
    for own in ("column-price", "Stock</a>", "Sell out", 'name="form-0-published"'):
        assert own in body
    for ours in ("column-imgrec_state", "Reindex all", "Reindex selected products"):
        assert ours in body
    assert "testapp/shop.css" in body
    assert "imgrec/admin.css" in body
    assert merchant.get("/admin/testapp/product/stock/").content == b"the shop's own page"


def test_the_shop_s_own_actions_work_on_our_rows(merchant: Client) -> None:
    products = make_products(2)
    for action, url in (("sell_out", f"{LIST}?imgrec_state=ready"), ("delete_selected", LIST)):
        form = {"action": action, "_selected_action": [products[0].pk], "post": "yes"}
        assert merchant.post(url, form).status_code == 302
        if action == "sell_out":
            assert list(Product.objects.order_by("pk").values_list("stock", flat=True)) == [0, 1]
    assert list(Product.objects.all()) == [products[1]]


def test_editing_in_the_list(merchant: Client) -> None:
    product = make_products(1)[0]
    form = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": product.pk, "_save": "1"}
    assert merchant.post(LIST, form).status_code == 302
    product.refresh_from_db()
    assert not product.published


def test_reindex_selected_queues_and_says_how_many(merchant: Client) -> None:
    products = [*make_products(3), Product.objects.create(title="no photo")]
    keys = [products[0].pk, products[2].pk, products[3].pk]
    form = {"action": "reindex_selected", "_selected_action": keys}
    body = text_of(merchant.post(LIST, form, follow=True))
    assert "2 photos queued." in body
    queued = EmbeddingJob.objects.values_list("object_pk", "state", "priority")
    assert sorted(queued) == [(str(key), "queued", 5) for key in keys[:2]]


def test_reindex_selected_across_pages(merchant: Client) -> None:
    make_products(3)
    form = {"action": "reindex_selected", "_selected_action": ["1"], "select_across": "1"}
    body = text_of(merchant.post(f"{LIST}?imgrec_state=ready", form, follow=True))
    assert "3 photos queued." in body


def test_reindex_selected_in_a_space_that_is_off(merchant: Client) -> None:
    product = make_products(1)[0]
    Space.objects.filter(label="testapp.product.embedding").update(is_active=False)
    form = {"action": "reindex_selected", "_selected_action": [product.pk]}
    assert "Nothing was queued" in text_of(merchant.post(LIST, form, follow=True))
    assert not EmbeddingJob.objects.exists()


def test_an_item_shows_the_photo_that_needs_attention(merchant: Client) -> None:
    good, mixed, bare = (Item.objects.create(title=title) for title in ("good", "mixed", "bare"))
    for item in (good, mixed):
        ItemPhoto.objects.create(item=item, image=upload(0.2))
    ItemPhoto.objects.create(item=good, image="")
    ItemPhoto.objects.create(item=mixed, image=ContentFile(b"nothing", name="x.png"))
    indexing.work()
    url = "/admin/testapp/item/"
    assert states(merchant, url) == ["no photo", "failed Not a picture", "ready"]
    assert states(merchant, f"{url}?imgrec_state=failed") == ["failed Not a picture"]
    form = {"action": "reindex_selected", "_selected_action": [good.pk, bare.pk]}
    assert "1 photo queued." in text_of(merchant.post(url, form, follow=True))
    job = EmbeddingJob.objects.get(state="queued")
    assert job.object_pk == str(good.photos.exclude(image="").get().pk)
    assert sorted(states(merchant, "/admin/testapp/itemphoto/")) == [
        "failed Not a picture",
        "no photo",
        "queued",
        "ready",
    ]


def test_two_spaces_and_which_is_served(merchant: Client) -> None:
    TwoSpaces.objects.create(photo=upload(0.3))
    indexing.work()
    EmbeddingJob.objects.create(space="testapp.twospaces.coarse", object_pk=str(1), state="failed")
    row = TwoSpaces.objects.get()
    EmbeddingJob.objects.update(object_pk=str(row.pk), reason="damaged")
    url = "/admin/testapp/twospaces/"
    assert states(merchant, url) == ["ready"]
    assert states(merchant, f"{url}?imgrec_space=testapp.twospaces.coarse") == [
        "failed Damaged picture"
    ]
    assert states(merchant, f"{url}?imgrec_space=nonsense") == ["ready"]
    assert "fine (served)" in text_of(merchant.get(url))
    serve("testapp.twospaces.coarse")
    assert states(merchant, url) == ["failed Damaged picture"]
    assert "coarse (served)" in text_of(merchant.get(url))


def test_actions_the_shop_switched_off_stay_off(merchant: Client) -> None:
    TwoSpaces.objects.create(photo=upload(0.3))
    assert "reindex_selected" not in text_of(merchant.get("/admin/testapp/twospaces/"))


@pytest.mark.parametrize("model", ["uuidproduct", "limitedproduct", "bargainproduct"])
def test_nothing_declared_at_all(model: str, admin_client: Client) -> None:
    models.UuidProduct.objects.create(photo=upload(0.1))
    models.LimitedProduct.objects.create(title="limited", photo=upload(0.1))
    indexing.work()
    assert states(admin_client, f"/admin/testapp/{model}/") == ["ready"]


def test_the_mixin_on_a_model_without_photos_is_an_error() -> None:
    found = PlainAdmin(models.Tag, admin.site).check()
    assert [error.id for error in found] == ["imgrec.E020"]
    assert PlainAdmin(Product, admin.site).check() == []


def test_in_a_pop_up_there_are_no_buttons(merchant: Client) -> None:
    assert "Reindex" not in text_of(merchant.get(f"{LIST}?_popup=1"))


def test_titles_and_file_names_are_escaped(merchant: Client) -> None:
    make_products(1)
    Product.objects.update(title="<script>alert(1)</script>")
    assert "<script>alert" not in text_of(merchant.get(LIST))


def test_fifty_rows_take_no_more_queries_than_five(
    merchant: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Product.objects.bulk_create(Product(title=str(n), photo=f"p/{n}.png") for n in range(50))
    make_failed()
    with django_assert_max_num_queries(9):
        merchant.get(LIST)
    TwoSpaces.objects.bulk_create(TwoSpaces(photo=f"p/{n}.png") for n in range(50))
    with django_assert_max_num_queries(9):
        merchant.get("/admin/testapp/twospaces/")
