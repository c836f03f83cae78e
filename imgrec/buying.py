"""The buying list: sold-out products that too little in stock looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from imgrec.rescue import sold_out
from imgrec.similar import similar_products
from imgrec.spaces import SpaceDefinition
from imgrec.trace_reasons import Why

# Read at once; between two windows nothing is kept.
WINDOW = 200
FEWER_THAN = 4
MIN_SIMILARITY = 0.75


@dataclass(frozen=True)
class Gap:
    """A sold-out product, how many good look-alikes can be bought, and the nearest that can.

    ``why``: nothing to compare by, in a sentence; "" when there is.
    """

    product: Any
    found: int
    nearest: Any
    similarity: float | None
    why: str = ""


def gaps(
    space: SpaceDefinition,
    *,
    fewer_than: int = FEWER_THAN,
    min_similarity: float = MIN_SIMILARITY,
    after: Any = None,
    seen: Callable[[Any], None] = lambda key: None,
) -> Iterator[Gap]:
    """Yield sold-out products by key that have fewer look-alikes as similar as that.

    What shoppers would see counts: merchants' rules hold. ``after``: the key to go on behind.
    ``seen``: told the key of each product that was looked at.
    """
    for product in _windows(space, after):
        found = similar_products(
            product, limit=fewer_than, min_similarity=min_similarity, space=space
        )
        if len(found) < fewer_than:
            yield _gap(space, product, found)
        seen(product.pk)


def _gap(space: SpaceDefinition, product: Any, found: Any) -> Gap:
    nearest = found or similar_products(product, limit=1, min_similarity=0.0, space=space)
    why = Why.of_seed(space, space.item_key(product), product._state.db) if not nearest else None
    first = nearest[0] if nearest else None
    similarity = first.similarity if first is not None else None
    return Gap(product, len(found), first, similarity, why.text if why else "")


def _windows(space: SpaceDefinition, after: Any) -> Iterator[Any]:
    rows = sold_out(space).order_by("pk")
    while True:
        window = list((rows if after is None else rows.filter(pk__gt=after))[:WINDOW])
        yield from window
        if len(window) < WINDOW:
            return
        after = window[-1].pk
