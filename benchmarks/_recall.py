"""Searches under filters, each answer compared with brute force."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks import _by_hand as by_hand
from benchmarks._filters import FILTERS
from benchmarks._report import Row
from benchmarks._truth import Catalogue, Truth

K = 10
Way = Callable[[Any, dict[str, Any]], tuple[list[int], str]]


@dataclass
class Found:
    """What one way found over all queries of one filter."""

    recalls: list[float] = field(default_factory=list)
    complete: list[bool] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    ways: Counter[str] = field(default_factory=Counter)

    @property
    def recall(self) -> float:
        return statistics.fmean(self.recalls)

    @property
    def completeness(self) -> float:
        """The share of answers with min(k, eligible) products, none of them twice."""
        return statistics.fmean(self.complete)

    @property
    def p50(self) -> float:
        return statistics.median(self.milliseconds)


def ours(seed: Any, filters: dict[str, Any]) -> tuple[list[int], str]:
    """Search by ``similar_products``, which chooses its way."""
    from imgrec import similar_products

    among = type(seed).objects.filter(**filters) if filters else None
    found = similar_products(seed, limit=K, among=among)
    return [product.pk for product in found], found.way


def queryset(seed: Any, filters: dict[str, Any]) -> tuple[list[int], str]:
    """Search by ``.similar_to()``, one statement whatever comes."""
    rows = type(seed).objects.filter(**filters).similar_to(seed)[:K]
    return [product.pk for product in rows], "sql"


def raw(seed: Any, filters: dict[str, Any]) -> tuple[list[int], str]:
    """Search by SQL as one would write it, under pgvector's default settings."""
    return [row[0] for row in by_hand.search(seed, filters, K)], "sql"


def under_all_filters(
    catalogue: Catalogue, seeds: Sequence[Any], truths: dict[str, Truth], way: Way
) -> dict[str, Found]:
    """Return what ``way`` finds under every filter."""
    return {
        each.name: _under(catalogue, seeds, truths[each.name], each.among, way) for each in FILTERS
    }


def _under(catalogue: Catalogue, seeds: Sequence[Any], truth: Truth, among: Any, way: Way) -> Found:
    found = Found()
    for number, seed in enumerate(seeds):
        filters = among(seed)
        started_at = time.perf_counter()
        keys, taken = way(seed, filters)
        found.milliseconds.append(1000 * (time.perf_counter() - started_at))
        found.ways[taken] += 1
        rows = np.asarray(keys, np.int64) - 1
        cosines = catalogue.vectors[rows] @ catalogue.vectors[seed.pk - 1]
        found.recalls.append(truth.recall(number, cosines))
        found.complete.append(len(keys) == len(set(keys)) == truth.wanted(number))
    return found


def rows_of(
    truths: dict[str, Truth],
    ours: dict[str, Found],
    queryset: dict[str, Found],
    raw: dict[str, Found],
    *,
    rival: str,
) -> list[Row]:
    """Return the rows of every filter: complete answers, recall, and the ways taken."""
    rows = []
    for name, found in ours.items():
        beside = raw[name]
        eligible = int(np.median(truths[name].eligible))
        ways = ", ".join(f"{way} {count}" for way, count in found.ways.most_common())
        note = f"ways: {ways}; median eligible {eligible:,}"
        rows += [
            Row(f"{name}: complete", found.completeness, "", rival, beside.completeness, note=note),
            Row(f"{name}: recall@{K}", found.recall, "", rival, beside.recall, note=note),
            Row(f"{name}: recall@{K}, similar_to()", queryset[name].recall, "", rival,
                beside.recall),
            Row(f"{name}: p50 of those queries", found.p50, "ms", rival, beside.p50,
                note=f"similar_to() {queryset[name].p50:.2f} ms; one after the other"),
        ]  # fmt: skip
    return rows
