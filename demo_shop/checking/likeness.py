"""How good the look-alikes are, as served."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean

from demo_shop.checking.shop import Seen

FIRST = 5


def precision_by_category(pages: dict[int, Seen]) -> dict[str, float]:
    """For each category: of the first five look-alikes, the share of its own category.

    Products whose page shows none are left out. A category of one product counts too, as 0.
    """
    shares: dict[str, list[float]] = defaultdict(list)
    for seen in pages.values():
        first = [pages[pk] for pk in seen.similar[:FIRST] if pk in pages]
        if first:
            same = [other.category == seen.category for other in first]
            shares[seen.category].append(fmean(same))
    return {category: round(fmean(values), 4) for category, values in sorted(shares.items())}


def precision(pages: dict[int, Seen]) -> float | None:
    """The mean over all products that show look-alikes; None in a shop of one category."""
    shown = [seen for seen in pages.values() if seen.similar]
    if len({seen.category for seen in pages.values()}) < 2 or not shown:
        return None
    shares = [
        fmean(pages[pk].category == seen.category for pk in seen.similar[:FIRST] if pk in pages)
        for seen in shown
    ]
    return round(fmean(shares), 4)
