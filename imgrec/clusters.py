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

ITEMS_OF_A_CLUSTER = 512
MOST_CLUSTERS = 4096
# Vectors the centres are learned from: this many a cluster.
LEARNED_FROM = 64
ROUNDS = 10
# Clusters an item asks for: those of the centres nearest to it. A cluster is compared with all
# that one in a hundred of its items ask for.
PROBES = 12
ASKED_FOR_BY = 0.01
ENOUGH = 1024


@dataclass(frozen=True)
class Cluster:
    """Keys of some look-alikes, and the numbers of the clusters to compare them with (or all)."""

    items: list[Any]
    compared_with: list[int]


def clusters(space: SpaceDefinition, version: str, count: int) -> list[Cluster]:
    """Cluster the ``count`` items of a space.

    Memory: the sample (items / 8 vectors of dimensions * 4 B), clusters ** 2 * 4 B, and a key
    an item.
    """
    wanted = min(max(2, count // ITEMS_OF_A_CLUSTER), MOST_CLUSTERS)
    random = np.random.default_rng(0)
    share = min(1.0, wanted * LEARNED_FROM / max(count, 1))
    sample = [m[random.random(len(m)) < share] for _keys, m in _items(space, version)]
    centres = learn(np.concatenate(sample), wanted, random)
    members: list[list[Any]] = [[] for _ in centres]
    asked = np.zeros((len(centres), len(centres)), np.int32)
    for keys, matrix in _items(space, version):
        own = _assign(matrix, centres, asked)
        for key, cluster in zip(keys.tolist(), own.tolist(), strict=True):
            members[cluster].append(key)
    return [
        Cluster(keys, _compared_with(len(keys), row, members))
        for keys, row in zip(members, asked, strict=True)
    ]


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


def _assign(matrix: Matrix, centres: Matrix, asked: npt.NDArray[np.int32]) -> Places:
    """Return each item's cluster; count in ``asked`` which clusters its items ask for."""
    similarities = matrix @ centres.T
    own: Places = np.argmax(similarities, axis=1)
    probes = min(PROBES, len(centres))
    bar = np.partition(similarities, -probes, axis=1)[:, -probes]
    item, cluster = np.nonzero(similarities >= bar[:, None])
    np.add.at(asked, (own[item], cluster), 1)
    return own


def _compared_with(size: int, asked: npt.NDArray[np.int32], members: list[list[Any]]) -> list[int]:
    found = np.flatnonzero(asked > ASKED_FOR_BY * size).tolist()
    # a short list says that there is no more: what few surround is compared with everything
    return found if sum(len(members[i]) for i in found) >= ENOUGH else []
