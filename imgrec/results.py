"""What a search for similar products returns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class SimilarProducts(list[Any]):
    """Products, the most similar first, each with ``.similarity`` (cosine, 0..1).

    ``way``: how they were found, ``"list"``, ``"exact"``, ``"hnsw"`` or ``"none"``.
    ``space``: label of the space searched. ``indexed``: whether the seed has a vector there.
    ``eligible``: how many there were to choose from, counted no further than it matters; None
    when nobody had to count.
    ``short``: a stored list was read first, and had too few left.
    ``next``: a token for the page after this one (``after=``), None when none comes.
    """

    def __init__(
        self,
        products: Iterable[Any] = (),
        space: str = "",
        way: str = "none",
        *,
        eligible: int | None = None,
        next: str | None = None,
    ) -> None:
        super().__init__(products)
        self.space = space
        self.way = way
        self.eligible = eligible
        self.next = next
        self.short = False

    @property
    def indexed(self) -> bool:
        """Whether the seed could be searched by."""
        return self.way != "none"
