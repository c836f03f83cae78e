"""How rare a similarity is among pairs drawn by chance, in percent: arithmetic on arrays.

A cosine of 0.8 is remarkable with one encoder and ordinary with another, rare among shoes and
usual among T-shirts. A scale says what is usual: 101 quantiles of the similarity of such pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from imgrec.topk import Matrix, best_pairs

Scale = npt.NDArray[np.float64]
POINTS = 101
# A category of so many products speaks for itself.
BELIEVED_FROM = 20


def scale_of(similarities: npt.NDArray[np.floating]) -> Scale:
    """Return the quantiles (101) of similarities, at least one."""
    clipped = np.clip(similarities.astype(np.float64), 0.0, 1.0)
    found: Scale = np.quantile(clipped, np.linspace(0, 1, POINTS))
    return found


def between_items(matrix: Matrix, starts: npt.NDArray[np.intp]) -> Matrix:
    """Return the similarity of every pair of different items: of the best pair of their photos.

    ``matrix``: unit vectors of photos (n, d), those of an item together; ``starts``: where each
    item begins (m). The result has m * (m - 1) / 2.
    """
    pairs = best_pairs(best_pairs(matrix @ matrix.T, starts, 1), starts, 0)
    found: Matrix = pairs[np.triu_indices(len(starts), 1)]
    return found


def mixed(scales: Sequence[Scale], weights: Sequence[float]) -> Scale:
    """Return the scale of what several describe together, each with its weight."""
    values = np.concatenate(scales)
    order = np.argsort(values, kind="stable")
    shares = np.repeat(np.asarray(weights, dtype=np.float64) / POINTS, POINTS)[order].cumsum()
    return np.interp(np.linspace(0, shares[-1], POINTS), shares, values[order])


def believed(own: Scale, whole: Scale, products: int) -> Scale:
    """Return a category's scale, drawn towards the whole's the fewer products it has."""
    trust = min(1.0, products / BELIEVED_FROM)
    return trust * own + (1 - trust) * whole


def percentile_of(scale: Scale, similarity: float) -> float:
    """Return how many pairs in a hundred are at most so similar, 0..100."""
    after = int(np.searchsorted(scale, similarity, side="right"))
    if after in (0, len(scale)):
        return 100.0 * (after > 0)
    low, high = scale[after - 1], scale[after]
    return float(after - 1 + (similarity - low) / (high - low))


def similarity_at(scale: Scale, percentile: float) -> float:
    """Return how similar two must be so that ``percentile`` pairs in a hundred are less."""
    return float(np.interp(percentile, np.arange(len(scale)), scale))
