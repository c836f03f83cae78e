"""The lists a space gives: every product compared with every other, in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imgrec.evaluation.metrics import Places
from imgrec.reading import Vectors
from imgrec.topk import Matrix, best_pairs, group_starts

# Similarities held at a time: 100 MB of them.
CELLS = 25_000_000

Watch = Callable[[int], object]


@dataclass(frozen=True)
class Ranked:
    """Lists of some items.

    ``items``: keys of all items (m). ``own``: place of each item asked (n). ``places``: places of
    its nearest, most similar first (n, k), -1 where there are no more; ``similarities``: their
    cosines (n, k).
    """

    items: npt.NDArray[Any]
    own: Places
    places: Places
    similarities: Matrix

    def keys(self, row: int) -> list[Any]:
        """Return the keys of one list."""
        places = self.places[row]
        return [self.items[place] for place in places[places >= 0]]


def rank(
    vectors: Vectors,
    asked: Collection[Any],
    allowed: Collection[Any],
    k: int,
    watch: Watch = lambda done: None,
) -> Ranked:
    """Return the exact top-k of these items among the allowed ones, themselves left out.

    Of items with many photos the best pair counts. ``watch`` is told how many are done.
    Memory: the vectors, and 100 MB or one item's similarities.
    """
    items, starts = group_starts(vectors.items)
    own = np.flatnonzero(_among(items, asked))
    forbidden = ~_among(items, allowed)
    rows = max(1, CELLS * len(items) // max(1, len(vectors)) ** 2)
    places = np.full((len(own), k), -1, np.intp)
    similarities = np.full((len(own), k), -np.inf, np.float32)
    for begin in range(0, len(own), rows):
        block = own[begin : begin + rows]
        table = _similarities(vectors, starts, block)
        table[:, forbidden] = -np.inf
        table[np.arange(len(block)), block] = -np.inf
        part = slice(begin, begin + len(block))
        places[part], similarities[part] = largest(table, k)
        watch(begin + len(block))
    return Ranked(items, own, places, similarities)


def largest(table: Matrix, k: int) -> tuple[Places, Matrix]:
    """Return columns and values of each row's k largest, (rows, k); -1 for what is -inf or lacks.

    Of equals the first column wins, except at the very end of a list.
    """
    most = min(k, table.shape[1])
    chosen = np.sort(np.argpartition(-table, most - 1, axis=1)[:, :most], axis=1)
    values = np.take_along_axis(table, chosen, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    places = np.full((len(table), k), -1, np.intp)
    found = np.full((len(table), k), -np.inf, np.float32)
    found[:, :most] = np.take_along_axis(values, order, axis=1)
    places[:, :most] = np.take_along_axis(chosen, order, axis=1)
    places[np.isneginf(found)] = -1
    return places, found


def _similarities(vectors: Vectors, starts: Places, block: Places) -> Matrix:
    """Return the cosine of these items (by place) with all: of the best pair of photos."""
    ends = np.append(starts, len(vectors))
    photos = np.concatenate([np.arange(ends[i], ends[i + 1]) for i in block])
    sizes = ends[block + 1] - ends[block]
    table = best_pairs(vectors.matrix[photos] @ vectors.matrix.T, starts, 1)
    found = best_pairs(table, np.cumsum(sizes) - sizes, 0)
    return found if found.flags.writeable else found.copy()


def _among(items: npt.NDArray[Any], keys: Collection[Any]) -> npt.NDArray[np.bool_]:
    known = set(keys)
    return np.fromiter((key in known for key in items.tolist()), bool, len(items))
