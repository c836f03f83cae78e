"""Cosine similarity and top-k on arrays: the arithmetic of the lists, without a database."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]


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


def group_starts(items: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Places]:
    """Return the distinct items of a grouped sequence, and where each begins."""
    starts = np.flatnonzero(np.concatenate([[True], items[1:] != items[:-1]])[: len(items)])
    return items[starts], starts


def best_pairs(similarities: Matrix, starts: Places, axis: int) -> Matrix:
    """Reduce photos to items along ``axis``: an item is as similar as its best photo."""
    if len(starts) == similarities.shape[axis]:
        return similarities
    reduced: Matrix = np.maximum.reduceat(similarities, starts, axis=axis)
    return reduced
