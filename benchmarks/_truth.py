"""The right answers, by brute force: every query against every product."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._vectors import CHUNK, Vectors, categories, chunks
from benchmarks.shop.filling import shares_of

TIE = 1e-6
Mask = Callable[["Catalogue", Any, slice], Any]


@dataclass(frozen=True)
class Catalogue:
    """What ``fill(n, seed=seed)`` put into the shop; product ``key`` is row ``key - 1``."""

    n: int
    seed: int = 0

    @cached_property
    def vectors(self) -> Vectors:
        """Unit rows (n, 512), as stored: rounded to halves."""
        rows = np.empty((self.n, 512), np.float32)
        start = 0
        for chunk in chunks(self.n, seed=self.seed):
            part = rows[start : start + len(chunk)]
            part[:] = chunk.astype(np.float16)
            part /= np.linalg.norm(part, axis=1, keepdims=True)
            start += len(chunk)
        return rows

    @cached_property
    def shares(self) -> NDArray[np.int64]:
        """``Product.share``, (n,)."""
        return np.asarray(shares_of(self.n, seed=self.seed))

    @cached_property
    def categories(self) -> NDArray[np.int64]:
        """``Product.category``, (n,)."""
        return categories(self.n, seed=self.seed)


@dataclass(frozen=True)
class Truth:
    """Of each query and one filter: ``eligible`` products (queries,), ``best`` (queries, k).

    ``best`` holds the cosines of the k nearest, the nearest first; -2 where there are no more.
    """

    eligible: NDArray[np.int64]
    best: Vectors

    def wanted(self, query: int) -> int:
        """Return min(k, eligible)."""
        return int(min(self.best.shape[1], self.eligible[query]))

    def recall(self, query: int, cosines: Any) -> float:
        """Return the share of right answers; who is as near as the last of them is right."""
        wanted = self.wanted(query)
        if not wanted:
            return 1.0
        right = np.count_nonzero(np.asarray(cosines) >= self.best[query, wanted - 1] - TIE)
        return min(int(right), wanted) / wanted


def brute_force(
    catalogue: Catalogue, rows: Any, filters: Mapping[str, Mask], k: int
) -> dict[str, Truth]:
    """Return the truth of each filter; ``rows`` (queries,) are looked up without themselves.

    A filter gives whether products may be results: (part,), or (queries, part).
    """
    queries = catalogue.vectors[rows]
    best = {name: np.full((len(rows), k), -2, np.float32) for name in filters}
    eligible = {name: np.zeros(len(rows), np.int64) for name in filters}
    for start in range(0, catalogue.n, CHUNK):
        part = slice(start, min(start + CHUNK, catalogue.n))
        cosines = queries @ catalogue.vectors[part].T
        others = np.arange(part.start, part.stop) != np.asarray(rows)[:, None]
        for name, mask in filters.items():
            may = others & mask(catalogue, rows, part)
            eligible[name] += may.sum(axis=1)
            found = np.concatenate([best[name], np.where(may, cosines, np.float32(-2))], axis=1)
            best[name] = -np.sort(np.partition(-found, k - 1, axis=1)[:, :k], axis=1)
    return {name: Truth(eligible[name], best[name]) for name in filters}
