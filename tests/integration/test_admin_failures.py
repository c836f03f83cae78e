"""Photos that failed: why, what to do, and once more."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from django.core.files.base import ContentFile
from django.db.models.fields.files import FieldFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from imgrec import indexing
from imgrec.admin import failures, photos
from imgrec.models import EmbeddingJob
from tests.integration.admin_pages import (
    PRODUCT,
    client_of,
    make_failed,
    make_products,
    page,
    text_of,
    the_space,
)
from tests.pictures import upload
from tests.testapp.models import Item, ItemPhoto, Product

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchant() -> Client:
    models = ("product", "item", "itemphoto", "embeddingjob")
    return client_of(*(f"{right}_{model}" for right in ("view", "change") for model in models))


def states() -> dict[str, str]:
    """Return the state of each photo's job."""
    return dict(EmbeddingJob.objects.values_list("object_pk", "state"))


def test_none(merchant: Client) -> None:
    make_products(1)
    assert "No photo failed." in text_of(merchant.get(page("failed")))


def test_reason_sentence_name_and_link(merchant: Client) -> None:
    product = make_failed("Cup")
    body = text_of(merchant.get(page("failed")))
    assert "Not a picture" in body
    assert "The file is not a picture: upload a JPEG" in body
    assert product.photo.name in body
    assert f'href="/admin/testapp/product/{product.pk}/change/">Cup</a>' in body
    assert f'src="{product.photo.url}"' not in body  # nothing a browser could show


def test_a_picture_that_is_one_is_shown(merchant: Client) -> None:
    product = make_products(1)[0]
    EmbeddingJob.objects.create(
        space=PRODUCT, object_pk=str(product.pk), state="failed", reason="no_features"
    )
    body = text_of(merchant.get(page("failed")))
    assert "Nothing recognisable" in body
    assert f'src="{product.photo.url}"' in body


def test_names_and_titles_are_escaped(merchant: Client) -> None:
    product = make_failed("<img src=x onerror=alert(1)>")
    Product.objects.filter(pk=product.pk).update(photo="p/<b onclick=x>.png")
    EmbeddingJob.objects.update(reason="no_features", message="<i>bad</i>")
    body = text_of(merchant.get(page("failed")))
    for raw in ("<img src=x", "<b onclick", "<i>bad"):
        assert raw not in body
    assert "&lt;i&gt;bad" in body


def test_a_storage_without_addresses_shows_the_name(
    merchant: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make_failed()
    EmbeddingJob.objects.update(reason="no_features")
    monkeypatch.setattr(FieldFile, "url", property(Mock(side_effect=OSError("private"))))
    body = text_of(merchant.get(page("failed")))
    assert product.photo.name in body
    assert photos.photo_of(product, the_space()).url == ""


def test_the_row_may_be_gone(merchant: Client) -> None:
    EmbeddingJob.objects.create(
        space=PRODUCT, object_pk="999", state="failed", reason="damaged", source_name="p/gone.png"
    )
    body = text_of(merchant.get(page("failed")))
    assert "999" in body
    assert "p/gone.png" in body


def test_retry_one(merchant: Client) -> None:
    first, second = make_failed("first"), make_failed("second")
    body = text_of(merchant.post(page("retry"), {"one": first.pk}, follow=True))
    assert "1 photo queued." in body
    assert states() == {str(first.pk): "queued", str(second.pk): "failed"}


def test_retry_those_ticked(merchant: Client) -> None:
    made = [make_failed(name) for name in ("a", "b", "c")]
    form = {"retry": "selected", "selected": [made[0].pk, made[2].pk]}
    assert "2 photos queued." in text_of(merchant.post(page("retry"), form, follow=True))
    assert list(states().values()).count("failed") == 1


def test_retry_none_ticked(merchant: Client) -> None:
    make_failed()
    for form in ({"retry": "selected"}, {}, {"one": "nonsense"}):
        body = text_of(merchant.post(page("retry"), form, follow=True))
        assert "No failed photo was selected." in body
    assert list(states().values()) == ["failed"]


def test_retry_all(merchant: Client) -> None:
    make_failed("a")
    make_failed("b")
    item = Item.objects.create()
    ItemPhoto.objects.create(item=item, image=ContentFile(b"bad", name="x.png"))
    indexing.work()
    assert "2 photos queued." in text_of(
        merchant.post(page("retry"), {"retry": "all"}, follow=True)
    )
    assert sorted(states().values()) == ["failed", "queued", "queued"]  # another space's stays


def test_retry_all_of_a_reason(merchant: Client) -> None:
    make_failed("a")
    Product.objects.create(title="empty", photo=ContentFile(b"", name="empty.png"))
    indexing.work()
    url = page("failed", space=PRODUCT, reason="empty_file")
    body = text_of(merchant.get(url))
    assert "Retry 1 photo" in body
    assert "Not a picture (1)" in body
    merchant.post(page("retry"), {"retry": "all", "reason": "empty_file"})
    queued = EmbeddingJob.objects.get(state="queued")
    assert queued.object_pk == str(Product.objects.get(title="empty").pk)
    assert "No photo failed with" in text_of(merchant.get(url))


def test_retried_and_mended(merchant: Client) -> None:
    product = make_failed()
    product.photo.storage.delete(product.photo.name)
    product.photo.storage.save(product.photo.name, upload(0.4))
    merchant.post(page("retry"), {"retry": "all"})
    indexing.work()
    assert not EmbeddingJob.objects.exists()
    assert "No photo failed." in text_of(merchant.get(page("failed")))


def test_a_newer_photo_is_no_failure_any_more(merchant: Client) -> None:
    product = make_failed()
    product.photo = upload(0.4)
    product.save()
    assert "No photo failed." in text_of(merchant.get(page("failed")))
    assert failures.count_reasons(the_space()) == []


def test_who_may_only_look_gets_no_buttons() -> None:
    make_failed()
    body = text_of(client_of("view_product").get(page("failed")))
    assert "Not a picture" in body
    assert "Retry" not in body


def test_photos_of_items_link_to_the_photo(merchant: Client) -> None:
    item = Item.objects.create(title="Sofa")
    photo = ItemPhoto.objects.create(item=item, image=ContentFile(b"bad", name="x.png"))
    indexing.work()
    for model in ("item", "itemphoto"):
        body = text_of(merchant.get(page("failed", model)))
        assert f'href="/admin/testapp/itemphoto/{photo.pk}/change/">Sofa' in body


def test_pages_of_fifty_in_bounded_queries(
    merchant: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    items = [Item(title=f"Item {n}") for n in range(60)]
    Item.objects.bulk_create(items)
    owners = [ItemPhoto(item=item, image="items/x.png") for item in items]
    ItemPhoto.objects.bulk_create(owners)
    EmbeddingJob.objects.bulk_create(
        EmbeddingJob(
            space="testapp.itemphoto.embedding",
            object_pk=str(owner.pk),
            state="failed",
            reason="file_missing",
        )
        for owner in owners
    )
    with django_assert_max_num_queries(8):
        body = text_of(merchant.get(page("failed", "item")))
    assert body.count("imgrec-failure") == 51  # the list itself, and one each
    assert "Page 1 of 2" in body
    second = page("failed", "item", space="testapp.itemphoto.embedding", page="2")
    assert text_of(merchant.get(second)).count("Retry Item") == 10


def test_jobs_are_retried_from_their_own_list(merchant: Client) -> None:
    product = make_failed()
    other = Product.objects.create(photo=upload(0.1))
    url = "/admin/imgrec/embeddingjob/"
    body = text_of(merchant.get(f"{url}?state__exact=failed&reason__exact=not_an_image"))
    assert "1 embedding job" in body
    form = {
        "action": "retry",
        "_selected_action": EmbeddingJob.objects.values_list("pk", flat=True),
    }
    assert "1 photo queued." in text_of(merchant.post(url, form, follow=True))
    assert states() == {str(product.pk): "queued", str(other.pk): "queued"}
    assert "None of the selected jobs failed." in text_of(merchant.post(url, form, follow=True))


def test_jobs_are_retried_by_those_who_may_change_them_only() -> None:
    make_failed()
    client = client_of("view_embeddingjob")
    url = "/admin/imgrec/embeddingjob/"
    assert "Retry those that failed" not in text_of(client.get(url))
    form = {
        "action": "retry",
        "_selected_action": EmbeddingJob.objects.values_list("pk", flat=True),
    }
    client.post(url, form)
    assert list(states().values()) == ["failed"]
