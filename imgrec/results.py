"""What a search for similar products returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any


class SimilarProducts(list[Any]):
    """Products, the most similar first, each with ``.similarity`` (cosine, 0..1).

    And with ``.pinned`` and ``.boosted``: whether a merchant's rule decided about its place.

    ``way``: how they were found, ``"list"``, ``"exact"``, ``"hnsw"`` or ``"none"``.
    ``space``: label of the space searched. ``indexed``: whether the seed has a vector there.
    ``eligible``: how many there were to choose from, counted no further than it matters; None
    when nobody had to count.
    ``short``: a stored list was read first, and had too few left.
    """

    def __init__(
        self,
        products: Iterable[Any] = (),
        space: str = "",
        way: str = "none",
        *,
        eligible: int | None = None,
        next: Callable[[], str | None] | None = None,
    ) -> None:
        super().__init__(products)
        self.space = space
        self.way = way
        self.eligible = eligible
        self._next = next
        self.short = False

    @cached_property
    def next(self) -> str | None:
        """A token for the page after this one (``after=``), None when none comes.

        Made when it is asked for: most pages show one page of a list.
        """
        return self._next() if self._next else None

    @property
    def indexed(self) -> bool:
        """Whether the seed could be searched by."""
        return self.way != "none"


def note_rules(product: Any, *, pinned: bool, boosted: bool) -> None:
    """Set what tells which rules made a product's place; a field of the shop's own stays.

    What :func:`rules_noted` returns is there in any case.
    """
    product.imgrec_rules = (pinned, boosted)
    for name, value in (("pinned", pinned), ("boosted", boosted)):
        if not hasattr(type(product), name):
            setattr(product, name, value)


def note_rules_of(found: SimilarProducts) -> None:
    """Note that no rule made the place of any result that nothing was noted of."""
    if not found:
        return
    kind = type(found[0])  # of all of them: they come from one queryset
    noted: dict[str, Any] = {
        name: False for name in ("pinned", "boosted") if not hasattr(kind, name)
    }
    noted["imgrec_rules"] = (False, False)
    for product in found:
        if "imgrec_rules" not in vars(product):
            vars(product).update(noted)


def rules_noted(product: Any) -> tuple[bool, bool]:
    """Return whether a result was pinned, and whether boosted."""
    noted: tuple[bool, bool] = getattr(product, "imgrec_rules", (False, False))
    return noted
