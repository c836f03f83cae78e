"""Fits a projection on a shop's own vectors, without labels: centring, PCA, whitening if wanted.

What all photos of a shop share, the white background, the way of photographing, says nothing
about which are alike, and taking the mean away takes it away. PCA keeps the directions in which
photos vary. Whitening turns down those in which everything does, such as light and dark, against
the many small ones; that takes many photos, or it is noise that is turned up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db import transaction

from imgrec import reading
from imgrec.embedders.fitted import Projection
from imgrec.spaces import SpaceDefinition
from imgrec.topk import Matrix

# Components are scaled by their variance to the power of minus half of this: 0 leaves them, 1
# makes all vary the same. None by default: on 875 photos any of it lost what centring had won.
WHITENING = 0.0
# Fewer vectors than this many a dimension say little about its variance.
VECTORS_A_DIMENSION = 2


@dataclass(frozen=True)
class Fit:
    """A projection, from how many vectors, and the share of their variance that it keeps."""

    projection: Projection
    vectors: int
    kept: float


class TooFewVectors(ValueError):
    """There is too little to fit so many dimensions on."""


def fit_space(
    space: SpaceDefinition, version: str, dimensions: int, whitening: float = WHITENING
) -> Fit:
    """Fit on all vectors of a space. Memory: dimensions ** 2 * 8 B, and a chunk of vectors.

    Raises:
        TooFewVectors: says how many it takes.
    """
    with transaction.atomic(using=space.using):
        chunks = (chunk.matrix for chunk in reading.stream(space, version))
        return fit(chunks, dimensions, whitening)


def fit(chunks: Iterable[Matrix], dimensions: int, whitening: float = WHITENING) -> Fit:
    """Fit on vectors (n, d) that come in chunks, to so many dimensions.

    Raises:
        TooFewVectors: fewer than two vectors a dimension, or no more dimensions than that.
    """
    count, mean, covariance = _moments(chunks)
    least = VECTORS_A_DIMENSION * dimensions
    if count < least or not 0 < dimensions <= len(mean):
        raise TooFewVectors(
            f"{dimensions} dimensions take {least} vectors of at least {dimensions} dimensions; "
            f"there are {count} of {len(mean)}."
        )
    values, directions = np.linalg.eigh(covariance)  # the smallest come first
    values, directions = values[::-1], _signed(directions[:, ::-1])
    total, values = values.sum(), values[:dimensions]
    # what hardly varies would be blown up out of all proportion
    floor = max(values[0] * 1e-6, np.finfo(np.float64).tiny)
    scale = np.maximum(values, floor) ** (-whitening / 2)
    matrix = (directions[:, :dimensions] * scale).astype(np.float32)
    kept = float(values.sum() / total) if total > 0 else 0.0
    return Fit(Projection(mean.astype(np.float32), matrix), count, kept)


def _moments(
    chunks: Iterable[Matrix],
) -> tuple[int, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return count, mean (d) and covariance (d, d) in one pass."""
    count = 0
    total: npt.NDArray[np.float64] = np.zeros(0)
    squares: npt.NDArray[np.float64] = np.zeros((0, 0))
    for chunk in chunks:
        rows = chunk.astype(np.float64)
        if not count:
            total, squares = np.zeros(rows.shape[1]), np.zeros((rows.shape[1],) * 2)
        count += len(rows)
        total += rows.sum(axis=0)
        squares += rows.T @ rows
    mean = total / max(count, 1)
    return count, mean, squares / max(count, 1) - np.outer(mean, mean)


def _signed(directions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Turn each column so that its largest entry is positive: which way it points is chance."""
    largest = np.argmax(np.abs(directions), axis=0)
    signs = np.sign(directions[largest, np.arange(directions.shape[1])])
    return directions * np.where(signs == 0, 1.0, signs)
