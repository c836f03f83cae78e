"""One product still to be stored, whatever it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

DEAREST_EURO = 140
SOLD_OUT_ONE_IN = 20
MOST_SECONDS_ON_SALE = 90 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Item:
    """A product and how to get its photo; ``photo`` is called only for products not yet stored."""

    sku: str
    title: str
    category: str
    photo_name: str
    photo: Callable[[], bytes]
    price: Decimal | None = None
    stock: int | None = None
    description: str = ""

    @property
    def age(self) -> timedelta:
        """How long the product is on sale, by the SKU: shelves come out mixed, not by kind."""
        return timedelta(seconds=_number(self.sku, "age") % MOST_SECONDS_ON_SALE)

    @property
    def price_or_derived(self) -> Decimal:
        """The given price, else one that the SKU alone decides: the same on every machine."""
        if self.price is not None:
            return self.price
        return Decimal(8 + _number(self.sku, "price") % (DEAREST_EURO - 8)) + Decimal("0.90")

    @property
    def stock_or_derived(self) -> int:
        """The given stock, else 1 to 40 by the SKU, and nothing for about one in twenty."""
        if self.stock is not None:
            return self.stock
        number = _number(self.sku, "stock")
        return 0 if number % SOLD_OUT_ONE_IN == 0 else 1 + number % 40


def _number(sku: str, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{purpose}:{sku}".encode()).digest()[:6], "big")
