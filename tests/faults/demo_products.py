"""Products of the demo shop, for what takes a real encoder: its tables are as wide as one's."""

from __future__ import annotations

from typing import Any

from demo_shop.catalogue.models import Category, Product
from imgrec import space_rows
from imgrec.models import Space
from imgrec.spaces import SpaceDefinition, space_by_label


def lite_space() -> SpaceDefinition:
    """Return the one space whose encoder's weights are at hand, and switch all others off."""
    found = space_by_label("shop.product.embedding_lite")
    assert found is not None
    space_rows.sync()
    Space.objects.exclude(label=found.label).update(is_active=False)
    return found


def make(number: int, photo: Any = "") -> Product:
    """Save a product."""
    shelf, _made = Category.objects.get_or_create(name="Mugs", slug="mugs")
    return Product.objects.create(
        title="Mug", sku=str(number), category=shelf, price="12.50", stock=1, photo=photo
    )
