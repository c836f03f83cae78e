"""Building and repairing the stored lists: time, memory, exactness.

At 15,000 products (the article's set) beside faiss and the article's full matrix, at 100,000 in
tiles, at 1,000,000 by clusters; repairs at 100,000. Vectors are made up (``_vectors``), 512
dimensions; two threads for everybody. Times are medians of runs that take turns.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._report import Row, main
from benchmarks._vectors import Vectors, clustered
from benchmarks.shop import fill, running_shop

THREADS = 2
SERVED, STORED = 64, 96
MEGABYTE = 1_000_000


def measure(*, quick: bool) -> list[Row]:
    """Measure in one shop after the other, from small to large."""
    sizes = (3_000, 10_000, 30_000) if quick else (15_000, 100_000, 1_000_000)
    with running_shop():
        small, seconds = article_sized(sizes[0], repeats=3 if quick else 5)
        return [*small, *in_tiles(sizes[1], sizes[0], seconds), *repairs(sizes[1]), *by_clusters(sizes[2])]


def article_sized(n: int, *, repeats: int) -> tuple[list[Row], float]:
    """All lists in one process; also return the seconds of reading, computing and writing."""
    from imgrec import pairs, reading

    fill(n, index=False)
    unit = clustered(n)
    vectors = reading.Vectors(np.arange(n), unit)
    ours, faiss, matrix = taking_turns(
        [
            lambda: pairs.all_pairs(vectors, STORED),
            lambda: faiss_lists(unit),
            lambda: full_matrix(unit),
        ],
        repeats,
    )
    whole = statistics.median(timed(build) for build in [build_anew] * 3)
    error = worst_difference()
    peak = alone(_peak_of_build)
    title = f"{n:,}: "
    return [
        Row(f"{title}computing all lists", ours, "s", "faiss IndexFlatIP", faiss),
        Row(f"{title}computing all lists", ours, "s", "the article's full matrix", matrix),
        Row(f"{title}reading, computing and writing", whole, "s", "faiss, computing only", faiss),
        Row(f"{title}extra memory of a build", peak, "MB", "the full matrix", n * n * 4 / MEGABYTE),
        Row(f"{title}largest difference", error, "", "what counts as a tie", 1e-6),
    ], whole


def in_tiles(n: int, before: int, seconds: float) -> list[Row]:
    """All lists exactly, in tiles; beside what squared growth from the smaller size gives."""
    from imgrec.conf import settings

    fill(n, index=False)
    threshold = settings.spread_above
    assert n > threshold or n < 20_000
    taken = timed(build_anew)
    peak = alone(_peak_of_tile)
    quadratic = seconds * (n / before) ** 2
    matrix = n * n * 4 / MEGABYTE
    return [
        Row(f"{n:,}: all lists in tiles", taken, "s", f"squared from {before:,}", quadratic),
        Row(f"{n:,}: extra memory of a worker", peak, "MB", "the full matrix", matrix),
    ]


def build_anew() -> None:
    """Build the lists as a worker does, from none."""
    space = the_space()
    space.list_model.objects.all().delete()
    build()


def build() -> None:
    from imgrec import neighbours

    neighbours.rebuild(the_space())
    while neighbours.work(the_space()):
        pass


def the_space() -> Any:
    from imgrec.spaces import all_spaces

    return all_spaces()[0]


def taking_turns(works: list[Callable[[], Any]], repeats: int) -> list[float]:
    """Return the median seconds of each, every round running all of them."""
    rounds = [[timed(work) for work in works] for _ in range(repeats)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def timed(work: Callable[[], Any]) -> float:
    started_at = time.perf_counter()
    work()
    return time.perf_counter() - started_at


def faiss_lists(unit: Vectors) -> None:
    """The rival: every product looked up in a flat index, itself and 64 others."""
    import faiss

    faiss.omp_set_num_threads(THREADS)
    index = faiss.IndexFlatIP(unit.shape[1])
    index.add(unit)
    index.search(unit, SERVED + 1)


def full_matrix(unit: Vectors) -> None:
    """The article's way: the whole matrix, each row sorted, the first ones kept."""
    matrix = unit @ unit.T
    np.argsort(-matrix, axis=1)[:, 1 : SERVED + 1].copy()


def worst_difference() -> float:
    """Return the largest difference of a stored similarity from float64, all lists, in place."""
    from imgrec import reading

    space = the_space()
    wide = {
        key: row / np.linalg.norm(row)
        for key, row in space.embedding_model.objects.values_list("owner", "vector").iterator()
    } if False else None
    del wide, reading
    keys, rows = [], []
    for key, vector in space.embedding_model.objects.values_list("owner", "vector").iterator(2000):
        keys.append(key)
        rows.append(np.asarray(vector, np.float64))
    wide = np.stack(rows)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    place = {key: i for i, key in enumerate(keys)}
    worst = 0.0
    lists = space.list_model.objects.order_by("owner").values_list("owner", "neighbours", "similarities")
    batch = list(lists)
    for begin in range(0, len(batch), 500):
        some = batch[begin : begin + 500]
        own = [place[owner] for owner, _n, _s in some]
        table = np.clip(wide[own] @ wide.T, 0, 1)
        table[np.arange(len(own)), own] = -1
        truth = -np.sort(-table, axis=1)[:, :STORED]
        for row, best, (_owner, ids, similarities) in zip(table, truth, some, strict=True):
            mine = row[[place[i] for i in ids]]
            worst = max(worst, np.abs(mine - best[: len(ids)]).max(), np.abs(mine - similarities).max())
    return float(worst)
