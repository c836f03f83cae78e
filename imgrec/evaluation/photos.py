"""Other photos of the same product: do they find each other?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from imgrec.evaluation import ranked
from imgrec.evaluation.ranked import largest
from imgrec.reading import Vectors


@dataclass(frozen=True)
class OwnPhotos:
    """``photos`` that were asked, of products with several; ``recall_at_1``: whose nearest photo
    is of the same product; ``recall``: that have one among their k nearest."""

    photos: int
    recall_at_1: float
    k: int
    recall: float


def own_photos(vectors: Vectors, asked: Collection[Any], k: int) -> OwnPhotos | None:
    """Ask every photo of these products for the nearest others; None where none has several."""
    known = set(asked)
    keys, place, counts = np.unique(vectors.items, return_inverse=True, return_counts=True)
    wanted = np.fromiter((key in known for key in keys.tolist()), bool, len(keys))
    rows = np.flatnonzero((counts[place] > 1) & wanted[place])
    if not len(rows):
        return None
    first = found = 0
    step = max(1, ranked.CELLS // len(vectors))
    for begin in range(0, len(rows), step):
        block = rows[begin : begin + step]
        table = vectors.matrix[block] @ vectors.matrix.T
        table[np.arange(len(block)), block] = -np.inf
        places, _ = largest(table, k)
        same = (place[places] == place[block][:, None]) & (places >= 0)
        first += int(same[:, 0].sum())
        found += int(same.any(axis=1).sum())
    return OwnPhotos(len(rows), first / len(rows), k, found / len(rows))
