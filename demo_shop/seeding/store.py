"""Writing items into the shop's database and its photo storage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction
from django.utils import timezone

from demo_shop.catalogue.models import Category, Product, slug_of
from demo_shop.seeding.items import Item

FOLDER = "products"


def store_items(items: Sequence[Item], *, progress: Callable[[int, int], None]) -> int:
    """Add the items whose SKU the shop does not know yet; returns how many that were.

    All or nothing, so that an interrupted first start leaves an empty shop. ``bulk_create`` sends
    no signals: indexing finds the new photos by itself.
    """
    with transaction.atomic():
        known = set(Product.objects.values_list("sku", flat=True))
        new = [item for item in items if item.sku not in known]
        shelves = _shelves(item.category for item in new)
        rows = []
        for count, item in enumerate(new, start=1):
            rows.append(_row(item, shelves[item.category]))
            progress(count, len(new))
        Product.objects.bulk_create(rows, batch_size=500)
    return len(new)


def _shelves(names: Iterable[str]) -> dict[str, Category]:
    """Categories by name, the missing ones made."""
    found = {category.name: category for category in Category.objects.all()}
    slugs = {category.slug for category in found.values()}
    for name in sorted(set(names) - set(found)):
        slug = base = slug_of(name)[:90]
        number = 2
        while slug in slugs:
            slug, number = f"{base}-{number}", number + 1
        slugs.add(slug)
        found[name] = Category.objects.create(name=name, slug=slug)
    return found


def _row(item: Item, category: Category) -> Product:
    return Product(
        sku=item.sku,
        title=item.title,
        slug=slug_of(item.title),
        category=category,
        price=item.price_or_derived,
        stock=item.stock_or_derived,
        description=item.description,
        created_at=timezone.now() - item.age,
        photo=_stored_photo(item),
    )


def _stored_photo(item: Item) -> str:
    """Copy the photo into the storage and return its name there."""
    storage: Storage = Product._meta.get_field("photo").storage
    name = str(PurePosixPath(FOLDER) / storage.get_valid_name(item.photo_name))
    return storage.save(name, ContentFile(item.photo()), max_length=255)
