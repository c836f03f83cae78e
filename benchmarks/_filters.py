"""The filters searches are measured under: as a queryset, as SQL, and as a mask for the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks._truth import Catalogue

EVERYTHING = 10_000


@dataclass(frozen=True)
class Share:
    """Products with ``share`` below a limit, of 10,000: independent of looks."""

    name: str
    limit: int

    def among(self, seed: Any) -> dict[str, Any]:
        """Return it as arguments of ``filter()``."""
        return {} if self.limit >= EVERYTHING else {"share__lt": self.limit}

    def mask(self, catalogue: Catalogue, rows: Any, part: slice) -> Any:
        """Return it as (part,)."""
        return catalogue.shares[part] < self.limit


@dataclass(frozen=True)
class Category:
    """Products of the seed's own category, or of the largest other one: they look alike."""

    name: str
    own: bool

    def among(self, seed: Any) -> dict[str, Any]:
        """Return it as arguments of ``filter()``."""
        return {"category": seed.category if self.own else int(seed.category == 0)}

    def mask(self, catalogue: Catalogue, rows: Any, part: slice) -> Any:
        """Return it as (queries, part)."""
        wanted = catalogue.categories[rows]
        if not self.own:
            wanted = wanted == 0
        return catalogue.categories[part] == wanted[:, None].astype(int)


ALL = Share("all", EVERYTHING)
HALF = Share("50 %", 5_000)
OWN_CATEGORY = Category("own category", own=True)
ANOTHER_CATEGORY = Category("another category", own=False)
FILTERS = (
    ALL,
    HALF,
    Share("5 %", 500),
    Share("0.1 %", 10),
    Share("0.01 %", 1),
    OWN_CATEGORY,
    ANOTHER_CATEGORY,
)


def few(n: int, most: int) -> Share:
    """Return a filter that leaves at most ``most`` of ``n`` products, and hardly fewer."""
    return Share(f"{min(n, most):,} eligible", min(EVERYTHING, most * EVERYTHING // n))


def where(filters: dict[str, Any]) -> tuple[str, list[Any]]:
    """Return arguments of ``filter()`` as SQL on the product ``p``, with its parameters."""
    signs = {"share__lt": "p.share <", "category": "p.category ="}
    parts = [f"{signs[name]} %s" for name in filters]
    return " AND ".join(["p.published", *parts]), list(filters.values())
