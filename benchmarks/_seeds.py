"""The products whose look-alikes are searched."""

from __future__ import annotations

import random
from typing import Any


def some_products(n: int, count: int, *, seed: int) -> list[Any]:
    """Return ``count`` of the shop's ``n`` products, or all of them, in random order."""
    from benchmarks.shop.models import Product

    keys = random.Random(seed).sample(range(1, n + 1), min(n, count))
    found = Product.objects.in_bulk(keys)
    return [found[key] for key in keys]
