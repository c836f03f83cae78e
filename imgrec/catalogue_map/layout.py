"""Where each product is on the map: t-SNE by openTSNE, of the lists that are stored.

The lists are what t-SNE spends most of its time on, the nearest neighbours of everything: taken
from there, a map costs no second search and no vectors in memory. A library of the extra "map",
imported on first use; it takes no compiler at run time, as umap-learn does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import transaction

from imgrec import fitting, reading
from imgrec.errors import ImgrecError
from imgrec.spaces import SpaceDefinition

Points = npt.NDArray[np.float64]
Places = npt.NDArray[np.int32]
Watch = Callable[[int, int], object]

# Neighbours of each product that the layout looks at: three times the perplexity, as is usual.
PERPLEXITY = 20
NEIGHBOURS = 3 * PERPLEXITY
# More products than this are not all arranged: the others are put beside the most alike of those.
MOST = 100_000
# Fewer than this are arranged by their two main directions alone.
LEAST = 12
EARLY, LATE = 250, 500
WATCHED_EVERY = 10


class MapUnavailable(ImgrecError):
    """No map can be made here; the message says what it takes."""


@dataclass(frozen=True)
class Neighbourhood:
    """``keys`` of n products and, by place among them, the neighbours of each.

    ``places`` (n, k), most similar first, -1 where there are no more; ``similarities`` (n, k).
    """

    keys: list[Any]
    places: Places
    similarities: npt.NDArray[np.float32]


def check_library() -> None:
    """Raise :class:`MapUnavailable` where the extra is not installed."""
    try:
        import openTSNE  # noqa: F401
    except ImportError as error:
        raise MapUnavailable(
            "A map takes the library openTSNE where it is made: "
            'pip install "imgrec[map]" for the worker, then ask again.'
        ) from error


def read_lists(space: SpaceDefinition, version: str) -> Neighbourhood:
    """Read the stored lists. Memory: products * 60 * 8 B, and their keys."""
    rows = space.list_model.objects.using(space.using).filter(version=version)
    keys = list(rows.order_by("owner").values_list("owner", flat=True))
    place = {key: i for i, key in enumerate(keys)}
    k = max(1, min(NEIGHBOURS, len(keys) - 1))
    places = np.full((len(keys), k), -1, np.int32)
    similarities = np.zeros((len(keys), k), np.float32)
    wanted = rows.values_list("owner", "neighbours", "similarities")
    for owner, others, values in wanted.iterator(2_000):
        row = place.get(owner)
        if row is None:  # stored since
            continue
        found = [(place[o], v) for o, v in zip(others, values, strict=True) if o in place][:k]
        if found:
            places[row, : len(found)], similarities[row, : len(found)] = zip(*found, strict=True)
    return Neighbourhood(keys, places, similarities)


def lay_out(
    space: SpaceDefinition, version: str, found: Neighbourhood, watch: Watch, threads: int = 1
) -> Points:
    """Return a point for each product, (n, 2). ``watch`` is told of steps done, and of all."""
    start = main_directions(space, version, found.keys)
    if len(found.keys) < LEAST:
        return start
    if len(found.keys) <= MOST:
        return arranged(found.places, found.similarities, start, watch, threads)
    chosen = np.sort(np.random.default_rng(0).choice(len(found.keys), MOST, replace=False))
    places, similarities = _among(found, chosen)
    points = np.full_like(start, np.nan)
    points[chosen] = arranged(places, similarities, start[chosen], watch, threads)
    return beside(points, found.places)


def main_directions(space: SpaceDefinition, version: str, keys: list[Any]) -> Points:
    """Return where products are along the two directions in which photos vary most, (n, 2).

    In two passes over the vectors, a chunk at a time; of several photos the mean.
    """
    points, counts = np.zeros((len(keys), 2)), np.zeros(len(keys))
    try:
        projection = fitting.fit_space(space, version, 2).projection
    except fitting.TooFewVectors:
        return np.column_stack([np.arange(len(keys)), np.zeros(len(keys))]).astype(np.float64)
    place = {key: i for i, key in enumerate(keys)}
    with transaction.atomic(using=space.using):
        for chunk in reading.stream(space, version):
            rows = np.array([place.get(key, -1) for key in chunk.items.tolist()])
            known = rows >= 0
            moved = (chunk.matrix[known] - projection.mean) @ projection.matrix
            np.add.at(points, rows[known], moved)
            np.add.at(counts, rows[known], 1)
    found: Points = points / np.maximum(counts, 1)[:, None]
    return found


def arranged(
    places: Places,
    similarities: npt.NDArray[np.float32],
    start: Points,
    watch: Watch,
    threads: int = 1,
) -> Points:
    """Return points (n, 2) of which those of neighbours are near each other."""
    from openTSNE import TSNE, affinity, initialization, nearest_neighbors

    known = nearest_neighbors.PrecomputedNeighbors(*_whole(places, similarities))
    perplexity = min(PERPLEXITY, max(2, places.shape[1] // 3))
    near = affinity.PerplexityBasedNN(
        knn_index=known, perplexity=perplexity, n_jobs=threads, random_state=0
    )
    steps = 0

    def count(*_: Any) -> None:
        nonlocal steps
        steps += WATCHED_EVERY
        watch(min(steps, EARLY + LATE), EARLY + LATE)

    watch(0, EARLY + LATE)
    method = TSNE(
        early_exaggeration_iter=EARLY,
        n_iter=LATE,
        n_jobs=threads,
        random_state=0,
        callbacks=count,
        callbacks_every_iters=WATCHED_EVERY,
    )
    begin = initialization.rescale(start + np.random.default_rng(0).normal(0, 1e-6, start.shape))
    found: Points = np.asarray(method.fit(affinities=near, initialization=begin), np.float64)
    return found


def _whole(places: Places, similarities: npt.NDArray[np.float32]) -> tuple[Places, Any]:
    """Return neighbours and distances without gaps: a short list names its last one again."""
    n = len(places)
    filled, values = places.copy(), similarities.copy()
    lone = filled[:, 0] < 0
    filled[lone, 0] = (np.flatnonzero(lone) + 1) % n
    for column in range(1, places.shape[1]):
        gaps = filled[:, column] < 0
        filled[gaps, column] = filled[gaps, column - 1]
        values[gaps, column] = values[gaps, column - 1]
    return filled, np.sqrt(np.maximum(2 - 2 * values, 1e-6))


def _among(found: Neighbourhood, chosen: npt.NDArray[Any]) -> tuple[Places, Any]:
    """Return the lists of the chosen, naming only those, by their place among them."""
    place = np.full(len(found.keys) + 1, -1, np.int32)
    place[chosen] = np.arange(len(chosen))
    places, similarities = place[found.places[chosen]], found.similarities[chosen]
    order = np.argsort(places < 0, axis=1, kind="stable")
    places = np.take_along_axis(places, order, 1)
    longest = max(3, int((places >= 0).sum(axis=1).mean()))
    return places[:, :longest], np.take_along_axis(similarities, order, 1)[:, :longest]


def beside(points: Points, places: Places) -> Points:
    """Put those without a point (NaN) where the most alike of their neighbours is that has one."""
    found = points.copy()
    for column in range(places.shape[1]):
        others = places[:, column]
        new = np.isnan(found[:, 0]) & (others >= 0) & ~np.isnan(points[others, 0])
        found[new] = points[others[new]]
    lost = np.isnan(found[:, 0])
    found[lost] = np.nanmean(points, axis=0)
    return found
