"""Storing items: photos in the storage, nothing twice, no jobs, all or nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.storage import default_storage

from demo_shop.catalogue.models import Category, Product
from demo_shop.seeding.items import Item
from demo_shop.seeding.store import store_items
from imgrec.models import EmbeddingJob

pytestmark = pytest.mark.django_db


def item(sku: str, *, category: str = "Hats", photo: Callable[[], bytes] = lambda: b"x") -> Item:
    return Item(sku=sku, title=f"Hat {sku}", category=category, photo_name="hat 1.jpg", photo=photo)


def ignore(done: int, total: int) -> None:
    """Nobody watches."""


def test_items_become_products_with_a_photo_each() -> None:
    steps: list[tuple[int, int]] = []
    items = [item("A", photo=lambda: b"photo of A"), item("B", photo=lambda: b"photo of B")]
    assert store_items(items, progress=lambda *step: steps.append(step)) == 2
    assert steps == [(1, 2), (2, 2)]
    for product in Product.objects.all():
        assert product.photo.name.startswith("products/hat_1")
        with product.photo.open() as photo:
            assert photo.read() == f"photo of {product.sku}".encode()
        assert product.slug == f"hat-{product.sku.lower()}"
    assert [category.slug for category in Category.objects.all()] == ["hats"]
    assert EmbeddingJob.objects.count() == 0


def test_a_second_time_adds_only_what_is_new_and_reads_no_photo_again() -> None:
    def unread() -> bytes:
        raise AssertionError("the photo of a known product was read")

    store_items([item("A")], progress=ignore)
    Product.objects.update(title="Renamed by the merchant")
    assert store_items([item("A", photo=unread), item("B")], progress=ignore) == 1
    assert Product.objects.get(sku="A").title == "Renamed by the merchant"
    assert Product.objects.count() == 2


def test_an_interrupted_seeding_leaves_an_empty_shop() -> None:
    def interrupted() -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_items([item("A"), item("B", photo=interrupted)], progress=ignore)
    assert not Product.objects.exists()
    assert not Category.objects.exists()


def test_categories_whose_slugs_collide_are_kept_apart() -> None:
    items = [
        item("A", category="T-Shirt"),
        item("B", category="T Shirt"),
        item("C", category="帽子"),
    ]
    store_items(items, progress=ignore)
    slugs = dict(Category.objects.values_list("name", "slug"))
    assert slugs == {"T Shirt": "t-shirt", "T-Shirt": "t-shirt-2", "帽子": "product"}


def test_files_that_are_no_pictures_are_stored_as_they_are() -> None:
    store_items([item("A", photo=lambda: b"")], progress=ignore)
    assert default_storage.size(Product.objects.get().photo.name) == 0
