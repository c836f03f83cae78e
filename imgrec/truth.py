"""The truth to hold searches and lists against: every pair compared, in one pass over the table.

Written apart from what builds the lists, which is to be measured by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from imgrec import reading
from imgrec.reading import Vectors
from imgrec.spaces import SpaceDefinition
from imgrec.topk import Matrix, best_pairs, group_starts

# Similarities nearer to each other than that are a tie: PostgreSQL and NumPy round differently.
TIE = 1e-6


@dataclass(frozen=True)
class Nearest:
    """The truly nearest of one product, most similar first: keys and cosines, not clipped."""

    items: list[Any]
    similarities: list[float]

    def share(self, found: Iterable[tuple[Any, float]], k: int) -> float:
        """Return how many of the nearest ``k`` are among these (key, similarity), 0..1.

        Who ties with the last of them is as good; found once, however often it is named.
        """
        wanted = min(k, len(self.items))
        if not wanted:
            return 1.0
        best, last = set(self.items[:wanted]), self.similarities[wanted - 1] - TIE
        hits: int = sum(key in best or value >= last for key, value in dict(found).items())
        return min(hits, wanted) / wanted


def nearest(
    space: SpaceDefinition,
    version: str,
    keys: Collection[Any],
    k: int,
    *,
    among: Collection[Any] | None = None,
    photos: int | None = None,
) -> dict[Any, Nearest]:
    """Return the exact top-k of these products, themselves left out, by key.

    Must run in a transaction. Memory: a chunk of vectors, and keys * (4,096 + k) * 12 B.

    Args:
        among: keys of the products that may be found; default all.
        photos: of a product with many, ask with the oldest so many.
    """
    asked = _oldest(reading.read(space, version, keys), photos)
    owners, starts = group_starts(asked.items)
    allowed = None if among is None else set(among)
    best = np.full((len(owners), k), -np.inf, np.float32)
    items = np.empty((len(owners), k), object)
    for chunk in reading.stream(space, version) if len(owners) else ():
        others, table = _compared(asked, starts, chunk)
        known = others.tolist()
        table[:, [allowed is not None and key not in allowed for key in known]] = -np.inf
        table[owners[:, None] == others[None, :]] = -np.inf
        columns = np.broadcast_to(np.array(known, object), table.shape)
        both = np.hstack([best, table])
        order = np.argsort(-both, axis=1, kind="stable")[:, :k]
        best = np.take_along_axis(both, order, axis=1)
        items = np.take_along_axis(np.hstack([items, columns]), order, axis=1)
    found = {}
    for owner, ids, similarities in zip(owners.tolist(), items, best, strict=True):
        there = np.isfinite(similarities)
        found[owner] = Nearest(ids[there].tolist(), similarities[there].tolist())
    return found


def _oldest(asked: Vectors, photos: int | None) -> Vectors:
    if photos is None or not len(asked):
        return asked
    _owners, starts = group_starts(asked.items)
    sizes = np.diff([*starts, len(asked)])
    kept = np.arange(len(asked)) - np.repeat(starts, sizes) < photos
    return Vectors(asked.items[kept], asked.matrix[kept])


def _compared(asked: Vectors, starts: Any, chunk: Vectors) -> tuple[Any, Matrix]:
    """Return a chunk's items, and the cosine of each asked item to each: of the best pair."""
    others, other_starts = group_starts(chunk.items)
    pairs = asked.matrix @ chunk.matrix.T
    return others, best_pairs(best_pairs(pairs, other_starts, 1), starts, 0)
