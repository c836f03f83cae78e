"""A photo's features cell by cell, and what can be told from them. NumPy only.

For a network whose vector is the mean c of the features c_j of n cells, the cosine to another
photo, of unit vector q, is a sum over the cells: cos = sum of q . c_j / (n |c|). An identity, no
approximation: nothing is learnt, and nothing is derived.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgrec.boxes import Box

Cells = NDArray[np.float64]  # a number for each cell: (rows, columns)

# Between the head and the features, as in a file of text.
_END = b"\n"


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """``features``: float16, (rows, columns, features); ``seen``: the part they lie over."""

    features: NDArray[np.float16]
    seen: Box

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean over the cells, (features,): the photo's vector before it is a unit vector."""
        found: NDArray[np.float64] = self._flat.mean(axis=0)
        return found

    def mean_of(self, weights: Cells) -> NDArray[np.float64]:
        """Return the mean of cells by weight (rows, columns)."""
        found: NDArray[np.float64] = np.average(self._flat, axis=0, weights=weights.ravel())
        return found

    def to_bytes(self) -> bytes:
        """Return it as bytes: 2 a number, and a line before them."""
        head = {"shape": self.features.shape, "seen": self.seen.as_tuple()}
        return json.dumps(head).encode() + _END + self.features.astype("<f2").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> FeatureMap:
        """Read such bytes. Raises ``ValueError``, ``KeyError`` or ``TypeError``."""
        head, _end, numbers = data.partition(_END)
        said = json.loads(head)
        features = np.frombuffer(numbers, dtype="<f2").reshape(said["shape"])
        return cls(features.astype(np.float16), Box(*map(float, said["seen"])))

    @property
    def _flat(self) -> NDArray[np.float64]:
        return self.features.reshape(-1, self.features.shape[-1]).astype(np.float64)


def cosine(one: FeatureMap, other: FeatureMap) -> float:
    """Return the cosine of two photos' vectors."""
    return float(_unit(one.mean) @ _unit(other.mean))


def contributions(of: FeatureMap, to: FeatureMap) -> Cells:
    """Return what each cell of one photo adds to its cosine to another: they sum to it."""
    count = of.features.shape[0] * of.features.shape[1]
    parts = of._flat @ _unit(to.mean) / (count * np.linalg.norm(of.mean))
    found: Cells = parts.reshape(of.features.shape[:2])
    return found


def centred(cells: Cells) -> Cells:
    """Return how much more than the average cell each one adds: what a heat map shows.

    As a whole, cells add much that any two photos have in common.
    """
    found: Cells = cells - cells.mean()
    return found


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = vector / np.linalg.norm(vector)
    return found
