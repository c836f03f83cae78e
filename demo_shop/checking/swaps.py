"""Photos that change: how long until the product's page shows its new look-alikes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from demo_shop.checking.shop import Seen, Shop, wait_for

CHANGES = 24
PATIENCE_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.02


@dataclass(frozen=True)
class Swap:
    """A product that gets another one's photo, and the photo it had."""

    product: Seen
    donor: Seen
    own_photo: bytes
    new_photo: bytes

    def is_done(self, similar: list[int]) -> bool:
        """Whether a list is the new photo's: at its head the donor, or the donor's company.

        Where a photo is there ten times the donor itself may not make it into the eight.
        """
        company = {self.donor.pk, *self.donor.similar} - {self.product.pk}
        return similar != self.product.similar and (
            self.donor.pk in similar or len(company & set(similar)) >= len(company) / 2
        )


def plan(shop: Shop, pages: dict[int, Seen]) -> list[Swap]:
    """Up to CHANGES pairs from different corners of the shop, no product in two of them."""
    return [
        Swap(product, donor, shop.photo(product), shop.photo(donor))
        for product, donor in _pairs(pages)
    ]


def _pairs(pages: dict[int, Seen]) -> Iterator[tuple[Seen, Seen]]:
    several = len({seen.category for seen in pages.values()}) > 1
    able = [seen for seen in pages.values() if seen.in_stock and len(seen.similar) >= 4]
    able.sort(key=lambda seen: (seen.pk * 7919) % 10_007)  # mixed, but the same each time
    found = 0
    while able and found < CHANGES:
        product = able.pop()
        for donor in able:
            apart = not set(product.similar) & {donor.pk, *donor.similar}
            if apart and (product.category != donor.category or not several):
                able.remove(donor)
                found += 1
                yield product, donor
                break


def measure(shop: Shop, swap: Swap) -> float:
    """Change the photo in the admin; seconds from sending the form to the page with its list."""

    def served() -> bool | None:
        return True if swap.is_done(shop.look(swap.product.address).similar) else None

    started = time.monotonic()
    shop.new_photo(swap.product.pk, swap.new_photo)
    what = f"product {swap.product.pk} to show the look-alikes of {swap.donor.pk}"
    wait_for(served, seconds=PATIENCE_SECONDS, what=what, every=LOOK_EVERY_SECONDS)
    return time.monotonic() - started


def quantile(seconds: list[float], share: float) -> float:
    """The smallest measured value that at least this share of all do not exceed."""
    ranked = sorted(seconds)
    return round(ranked[max(0, -int(-share * len(ranked) // 1) - 1)], 3)
