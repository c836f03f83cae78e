"""Live search beside engines in the process, and exact search beside faiss' flat index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import _engines as engines
from benchmarks._filters import few
from benchmarks._recall import K, ours
from benchmarks._report import Row, circumstances, progress
from benchmarks._timing import in_turns
from benchmarks._truth import Catalogue, Truth


@dataclass(frozen=True)
class Recalled:
    """The recall we reach: rows that were looked up, the truth of them, our share of it."""

    rows: Sequence[int]
    truth: Truth
    recall: float


def engine_rows(
    catalogue: Catalogue, seeds: Sequence[Any], rounds: int, reached: Recalled
) -> list[Row]:
    """Return p50 and p95 of unfiltered searches beside each engine at no less recall."""
    rows = []
    for engine in engines.engines(catalogue.vectors):
        rival = _tuned(engine, catalogue, reached)
        progress(f"  beside {rival.name}, built in {engine.build_seconds:.1f} s")

        def in_process(seed: Any, rival: engines.Tuned = rival) -> Any:
            return rival.neighbours(catalogue.vectors[seed.pk - 1], K + 1)

        took = in_turns({"ours": lambda seed: ours(seed, {}), "rival": in_process}, seeds, rounds)
        built = f"built in {engine.build_seconds:.1f} s"
        note = f"recall {reached.recall:.4f}, its {rival.recall:.4f}; {built}"
        with circumstances(repeats=rounds * len(seeds)):
            rows += [
                Row("all: p50", took["ours"].p50, "ms", rival.name, took["rival"].p50, note=note),
                Row("all: p95", took["ours"].p95, "ms", rival.name, took["rival"].p95, note=note),
            ]
    return rows


def _tuned(engine: engines.Engine, catalogue: Catalogue, ours: Recalled) -> engines.Tuned:
    return engines.tuned(engine, catalogue, ours.rows, ours.truth, ours.recall, K)


def exact_rows(catalogue: Catalogue, seeds: Sequence[Any], rounds: int) -> list[Row]:
    """Return p50 and p95 of exact searches beside a flat index of the eligible rows alone."""
    from imgrec.conf import settings

    eligible = few(catalogue.n, settings.exact_below)
    among = eligible.among(None)
    search = engines.flat(catalogue.vectors[eligible.mask(catalogue, None, slice(None))])
    took = in_turns(
        {
            "ours": lambda seed: ours(seed, among),
            "flat": lambda seed: search(catalogue.vectors[seed.pk - 1], K + 1),
        },
        seeds,
        rounds,
    )
    way = ours(seeds[0], among)[1]
    name, rival, note = f"{eligible.name}: ", "faiss flat, of these alone", f"way: {way}"
    with circumstances(repeats=rounds * len(seeds)):
        return [
            Row(name + "p50", took["ours"].p50, "ms", rival, took["flat"].p50, note=note),
            Row(name + "p95", took["ours"].p95, "ms", rival, took["flat"].p95, note=note),
        ]
