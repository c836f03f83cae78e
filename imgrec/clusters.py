"""Clusters of look-alikes (k-means on the sphere): what an index-driven build compares.

In a large catalogue an item's neighbours are in its own cluster and those around it. Comparing
only these is the inverted-file index (IVF) of the literature, a whole cluster at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imgrec import reading
from imgrec.reading import Vectors
from imgrec.spaces import SpaceDefinition
from imgrec.topk import Matrix, Places, group_starts, unit

ITEMS_OF_A_CLUSTER = 1024
# Vectors the centres are learned from: this many a cluster.
LEARNED_FROM = 64
ROUNDS = 10
# Share of all items that a cluster's items are compared with, and the least number of them.
COMPARED_SHARE = 0.08
COMPARED_ITEMS = 40_000


@dataclass(frozen=True)
class Cluster:
    """Keys of some look-alikes, and the numbers of the clusters around them, nearest first."""

    items: list[Any]
    compared_with: list[int]


def clusters(space: SpaceDefinition, version: str, count: int) -> list[Cluster]:
    """Cluster the ``count`` items of a space.

    Memory: the sample (items / 16 vectors of dimensions * 4 B) and a key an item.
    """
    wanted = max(2, count // ITEMS_OF_A_CLUSTER)
    random = np.random.default_rng(0)
    share = min(1.0, wanted * LEARNED_FROM / max(count, 1))
    sample = [m[random.random(len(m)) < share] for _keys, m in _items(space, version)]
    centres = learn(np.concatenate(sample), wanted, random)
    members: list[list[Any]] = [[] for _ in centres]
    for keys, matrix in _items(space, version):
        for key, cluster in zip(keys.tolist(), _nearest(matrix, centres), strict=True):
            members[cluster].append(key)
    return _with_surroundings(centres, members, count)


def _items(space: SpaceDefinition, version: str) -> Iterator[tuple[npt.NDArray[Any], Matrix]]:
    for chunk in reading.stream(space, version):
        yield _middles(chunk)


def _middles(chunk: Vectors) -> tuple[npt.NDArray[Any], Matrix]:
    """Return each item once, at the middle of its photos."""
    items, starts = group_starts(chunk.items)
    if len(items) == len(chunk):
        return items, chunk.matrix
    return items, unit(np.add.reduceat(chunk.matrix, starts, axis=0))


def learn(sample: Matrix, count: int, random: np.random.Generator) -> Matrix:
    """Return ``count`` centres (count, dimensions) of the sample, by Lloyd's rounds."""
    centres = sample[random.choice(len(sample), min(count, len(sample)), replace=False)]
    for _round in range(ROUNDS):
        nearest = _nearest(sample, centres)
        order = np.argsort(nearest, kind="stable")
        held, starts = group_starts(nearest[order])
        centres = centres.copy()  # a centre that holds nothing stays where it is
        centres[held] = unit(np.add.reduceat(sample[order], starts, axis=0))
    return centres


def _nearest(matrix: Matrix, centres: Matrix) -> Places:
    found = [
        np.argmax(matrix[begin : begin + 4096] @ centres.T, axis=1)
        for begin in range(0, len(matrix), 4096)
    ]
    return np.concatenate(found) if found else np.empty(0, np.intp)


def _with_surroundings(centres: Matrix, members: list[list[Any]], count: int) -> list[Cluster]:
    sizes = np.array([len(keys) for keys in members])
    enough = max(COMPARED_ITEMS, int(COMPARED_SHARE * count))
    found = []
    for keys, similarities in zip(members, centres @ centres.T, strict=True):
        order = np.argsort(-similarities, kind="stable")
        within = int(np.searchsorted(np.cumsum(sizes[order]), enough)) + 1
        found.append(Cluster(keys, order[:within].tolist()))
    return found
