"""Drawn wares as oscar's products: mugs, bowls and cushions, and t-shirts with variants."""

from __future__ import annotations

from typing import Any

from django.core.files.base import ContentFile
from oscar.apps.catalogue.categories import create_from_breadcrumbs
from oscar.core.loading import get_model

from demo_shop.seeding.drawn.catalogue import drawn_items
from demo_shop.seeding.drawn.patterns import PATTERNS
from demo_shop.seeding.items import Item

Product = get_model("catalogue", "Product")
ProductClass = get_model("catalogue", "ProductClass")
ProductImage = get_model("catalogue", "ProductImage")
Partner = get_model("partner", "Partner")
StockRecord = get_model("partner", "StockRecord")

SHELVES = ("Mugs", "Bowls", "Cushions")
WITH_VARIANTS = "T-shirts"


def draw() -> int:
    """Fill an empty shop. Returns the number of products, variants included."""
    items = drawn_items()
    for item in items:
        if item.category in SHELVES:
            _offer(item, _photo(item, _standalone(item)))
    shirts = [item for item in items if item.category == WITH_VARIANTS]
    for first in range(0, len(shirts), len(PATTERNS)):  # of one colour each
        _with_variants(shirts[first : first + len(PATTERNS)])
    return int(Product.objects.count())


def _standalone(item: Item) -> Any:
    product = Product.objects.create(
        title=item.title, upc=item.sku, description=item.description, product_class=_kind()
    )
    return _shelved(product, item)


def _with_variants(shirts: list[Item]) -> None:
    """The plain one's photo is the parent's, and that variant has none of its own."""
    plain = shirts[0]
    parent = Product.objects.create(
        structure=Product.PARENT, title=plain.title, description=plain.description,
        product_class=_kind(),
    )  # fmt: skip
    _photo(plain, _shelved(parent, plain))
    for item in shirts:
        child = Product.objects.create(
            structure=Product.CHILD, parent=parent, title=item.title, upc=item.sku
        )
        _offer(item, child if item is plain else _photo(item, child))


def _kind() -> Any:
    return ProductClass.objects.get_or_create(name="Drawn wares", track_stock=True)[0]


def _shelved(product: Any, item: Item) -> Any:
    product.categories.add(create_from_breadcrumbs(item.category))
    return product


def _photo(item: Item, product: Any) -> Any:
    photo = ContentFile(item.photo(), name=item.photo_name)
    ProductImage.objects.create(product=product, original=photo)
    return product


def _offer(item: Item, product: Any) -> None:
    partner, _ = Partner.objects.get_or_create(name="The studio")
    StockRecord.objects.create(
        product=product,
        partner=partner,
        partner_sku=item.sku,
        price=item.price_or_derived,
        num_in_stock=item.stock_or_derived,
    )
