"""Cosine similarity and top-k on arrays: the arithmetic of the lists, without a database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Neighbours = list[tuple[Any, float]]  # (item, similarity), most similar first


def cosine_similarity(a: Matrix, b: Matrix) -> Matrix:
    """Return the cosine of every row of ``a`` (n, d) with every row of ``b`` (m, d), in 0..1.

    Clipped, never (1 + cos) / 2: opposite is as unlike as unrelated. Zero rows give 0.
    """
    similarities: Matrix = np.clip(unit(a) @ unit(b).T, 0.0, 1.0)
    return similarities


def unit(rows: Matrix) -> Matrix:
    """Scale every row to length 1; a zero row stays zero."""
    rows = np.asarray(rows, dtype=np.float32)
    norms = np.sqrt(np.sum(rows * rows, axis=1, keepdims=True, dtype=np.float32))
    norms[norms == 0] = 1
    scaled: Matrix = np.divide(rows, norms, dtype=np.float32)
    return scaled


def group_starts(items: Sequence[Any]) -> tuple[list[Any], npt.NDArray[np.intp]]:
    """Return the distinct items of a grouped sequence, and where each begins."""
    starts = [i for i, item in enumerate(items) if i == 0 or item != items[i - 1]]
    return [items[i] for i in starts], np.asarray(starts, dtype=np.intp)


def best_pairs(similarities: Matrix, starts: npt.NDArray[np.intp], axis: int) -> Matrix:
    """Reduce photos to items along ``axis``: an item is as similar as its best photo."""
    if len(starts) == similarities.shape[axis]:
        return similarities
    reduced: Matrix = np.maximum.reduceat(similarities, starts, axis=axis)
    return reduced


def top(candidates: Iterable[tuple[Any, float]], k: int) -> Neighbours:
    """Return the k most similar, ties by key."""
    return sorted(candidates, key=lambda pair: (-pair[1], pair[0]))[:k]


def largest(row: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.intp]:
    """Return the places of the k largest values of a row, in no order."""
    if k >= row.size:
        return np.arange(row.size)
    return np.argpartition(row, row.size - k)[row.size - k :]
