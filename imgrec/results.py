"""What a search for similar products returns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class SimilarProducts(list[Any]):
    """Products, the most similar first, each with ``.similarity`` (cosine, 0..1).

    ``way``: how they were found, ``"list"``, ``"exact"``, ``"hnsw"`` or ``"none"``.
    ``space``: label of the space searched. ``indexed``: whether the seed has a vector there.
    """

    def __init__(self, products: Iterable[Any] = (), space: str = "", way: str = "none") -> None:
        super().__init__(products)
        self.space = space
        self.way = way

    @property
    def indexed(self) -> bool:
        """Whether the seed could be searched by."""
        return self.way != "none"
