"""What the HNSW index's parameters give and what they cost.

Every pair of ``m`` and ``ef_construction`` is built anew and searched by SQL by hand, without a
filter and under filters that leave more products than are searched exactly: some 5 %, the seed's
own category and another one. Three ways to search: in strict order; in relaxed order; and in
relaxed order asking for four times as many and keeping the nearest. Recall@10 against brute force.
The rival is pgvector's own pair, searched in the same way.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import _by_hand as by_hand
from benchmarks._filters import ALL, ANOTHER_CATEGORY, OWN_CATEGORY, Share
from benchmarks._report import Row, circumstances, main, progress
from benchmarks._seeds import some_products
from benchmarks._truth import Catalogue, Truth, brute_force
from benchmarks.shop import build_index, fill, running_shop
from benchmarks.shop.indexes import index_bytes

SIZES, QUICK_SIZE = (100_000,), 12_000
DEFAULT = (16, 64)
PAIRS, QUICK_PAIRS = ((16, 128), (24, 128), (32, 128)), ((16, 128),)
QUERIES, QUICK_QUERIES = 300, 50
EF_SEARCH = (100, 200)
K, SEED = 10, 0


@dataclass(frozen=True)
class How:
    """One way to search."""

    ef_search: int
    scan: str
    times: int

    def __str__(self) -> str:
        order = self.scan.split("_")[0]
        more = f", {self.times} times as many" if self.times > 1 else ""
        return f"ef_search {self.ef_search}, {order}{more}"


@dataclass(frozen=True)
class Outcome:
    """Mean recall and milliseconds of one search."""

    recall: float
    p50: float


HOW = [
    How(ef_search, scan, times)
    for ef_search in EF_SEARCH
    for scan, times in (("strict_order", 1), ("relaxed_order", 1), ("relaxed_order", 4))
]


def measure(*, quick: bool, sizes: tuple[int, ...] | None) -> list[Row]:
    """Return the rows of every size."""
    rows = []
    with running_shop():
        for n in sizes or (QUICK_SIZE,):
            with circumstances(n=n, seed=SEED, repeats=QUICK_QUERIES if quick else QUERIES):
                rows += _at(Catalogue(n, SEED), quick=quick)
    return rows


def _at(catalogue: Catalogue, *, quick: bool) -> list[Row]:
    fill(catalogue.n, seed=SEED, index=False)
    seeds = some_products(catalogue.n, QUICK_QUERIES if quick else QUERIES, seed=SEED)
    filters = [ALL, Share("5.1 %", 510), OWN_CATEGORY, ANOTHER_CATEGORY]
    keys = [seed.pk - 1 for seed in seeds]
    truths = brute_force(catalogue, keys, {each.name: each.mask for each in filters}, K)
    how = [each for each in HOW if not quick or each.ef_search == 200]
    rows: list[Row] = []
    beside = None
    for pair in (DEFAULT, *(QUICK_PAIRS if quick else PAIRS)):
        progress(f"{catalogue.n:,} products: m {pair[0]}, ef_construction {pair[1]}")
        built = build_index(m=pair[0], ef_construction=pair[1]), index_bytes() / 1e6
        found = {
            (each.name, str(way)): _search(catalogue, seeds, truths[each.name], each, way)
            for each in filters
            for way in how
        }
        if beside is None:
            beside = built, found
        else:
            rows += _rows(pair, built, found, *beside)
    return rows


def _search(
    catalogue: Catalogue, seeds: Sequence[Any], truth: Truth, among: Any, how: How
) -> Outcome:
    recalls, took = [], []
    for number, seed in enumerate(seeds):
        started_at = time.perf_counter()
        rows = by_hand.search_under_settings(
            seed, among.among(seed), K * how.times, how.ef_search, scan=how.scan
        )
        took.append(1000 * (time.perf_counter() - started_at))
        nearest = sorted(rows, key=lambda row: row[-1])[:K]
        keys = np.array([row[0] - 1 for row in nearest], np.int64)
        cosines = catalogue.vectors[keys] @ catalogue.vectors[seed.pk - 1]
        recalls.append(truth.recall(number, cosines))
    return Outcome(statistics.fmean(recalls), statistics.median(took))


def _rows(pair: Any, built: Any, found: Any, built_before: Any, found_before: Any) -> list[Row]:
    name = f"m {pair[0]}, ef_construction {pair[1]}: "
    rival = f"m {DEFAULT[0]}, ef_construction {DEFAULT[1]}"
    rows = [
        Row(name + "built", built[0], "s", rival, built_before[0], repeats=1),
        Row(name + "size", built[1], "MB", rival, built_before[1], repeats=1),
    ]
    for (filtered, how), outcome in found.items():
        before = found_before[filtered, how]
        note = f"p50 {outcome.p50:.1f} ms, its {before.p50:.1f} ms"
        title = f"{name}{filtered}, {how}"
        rows.append(Row(title, outcome.recall, "", rival, before.recall, note=note))
    return rows


if __name__ == "__main__":
    main("indexes", measure, sizes=SIZES)
