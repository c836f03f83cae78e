"""Parents and their children, as a shopper sees them: one product."""

from __future__ import annotations

from typing import Any


def canonical(product: Any) -> Any:
    """Return what stands for a product in listings: a child's parent, else itself."""
    return product.parent if product.is_child else product


def photographed(product: Any) -> Any:
    """Return whose photos show a product: a child without any has its parent's, and vice versa."""
    if product.images.exists():
        return product
    family = [product.parent] if product.is_child else product.get_public_children()
    return next((each for each in family if each.images.exists()), product)
