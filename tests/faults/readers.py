"""A shopper who opens one product page after the other, and what each of them showed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

from imgrec import similar_products
from imgrec.spaces import SpaceDefinition

LIMIT = 8
# Between two pages: the workers need the processors as well.
PAUSE_SECONDS = 0.01

# Look-alikes and their similarities, in their order.
Shown = list[tuple[Any, float]]


class Shopper:
    """``pages``: the product's key and what was shown, in the order of time."""

    def __init__(self, products: Sequence[Any]) -> None:
        self._products = cycle(products)
        self.pages: list[tuple[Any, Shown]] = []

    def open_page(self) -> None:
        """Have a look at the next product."""
        product = next(self._products)
        found = similar_products(product, limit=LIMIT)
        self.pages.append((product.pk, [(each.pk, each.similarity) for each in found]))
        time.sleep(PAUSE_SECONDS)

    def open_pages(self, *, until: Callable[[], bool]) -> None:
        """Look at one after the other until it is so."""
        while not until():
            self.open_page()

    def versions(self, old: dict[Any, Shown], new: dict[Any, Shown]) -> list[str]:
        """Return of which lists each page was, as a whole: ``"old"``, ``"new"`` or what it is."""
        return [
            "old" if shown == old[key] else "new" if shown == new[key] else f"{key}: {shown}"
            for key, shown in self.pages
        ]


def shown_of(space: SpaceDefinition) -> dict[Any, Shown]:
    """Return what a page shows of each stored list."""
    rows = space.list_model.objects.values_list("owner", "neighbours", "similarities")
    return {owner: list(zip(*lists, strict=True))[:LIMIT] for owner, *lists in rows}
