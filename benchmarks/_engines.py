"""Vector search inside the process: faiss, hnswlib and usearch, each at the recall asked for.

They answer with row numbers and know neither filters nor products nor transactions: a floor.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks._truth import Catalogue, Truth
from benchmarks._vectors import Vectors

M, EF_CONSTRUCTION, LISTS_PER_ROOT = 24, 128, 4
KNOBS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
Search = Callable[[Any, int, int], Any]


@dataclass(frozen=True)
class Engine:
    """``search(vector, k, knob)`` gives row numbers, the nearest first, on one thread."""

    name: str
    knob: str
    search: Search
    build_seconds: float


@dataclass(frozen=True)
class Tuned:
    """An engine at the smallest setting that reaches a recall."""

    engine: Engine
    setting: int
    recall: float

    @property
    def name(self) -> str:
        return f"{self.engine.name}, {self.engine.knob} {self.setting}"

    def neighbours(self, vector: Any, k: int) -> Any:
        return self.engine.search(vector, k, self.setting)


def engines(vectors: Vectors) -> Iterator[Engine]:
    """Build one after the other; each may go before the next is built."""
    for name, knob, build in (
        ("faiss IVF", "nprobe", _faiss_ivf),
        ("faiss HNSW", "efSearch", _faiss_hnsw),
        ("hnswlib", "ef", _hnswlib),
        ("usearch", "expansion", _usearch),
    ):
        started_at = time.perf_counter()
        search = build(vectors)
        yield Engine(name, knob, search, time.perf_counter() - started_at)


def tuned(
    engine: Engine, catalogue: Catalogue, rows: Any, truth: Truth, recall: float, k: int
) -> Tuned:
    """Return the engine at the smallest setting that finds as much of the truth."""
    reached = 0.0
    for setting in KNOBS:
        reached = _recall(engine, catalogue, rows, truth, k, setting)
        if reached >= recall:
            break
    return Tuned(engine, setting, reached)


def _recall(
    engine: Engine, catalogue: Catalogue, rows: Any, truth: Truth, k: int, setting: int
) -> float:
    shares = []
    for number, row in enumerate(rows):
        found = engine.search(catalogue.vectors[row], k + 1, setting)
        found = found[(found != row) & (found >= 0)][:k]
        cosines = catalogue.vectors[found] @ catalogue.vectors[row]
        shares.append(truth.recall(number, cosines))
    return float(np.mean(shares))


def flat(vectors: Vectors) -> Callable[[Any, int], Any]:
    """Return faiss' exact search of these rows, on one thread."""
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)

    def search(vector: Any, k: int) -> Any:
        faiss.omp_set_num_threads(1)
        return index.search(vector[None], k)[1][0]

    return search


def _faiss_ivf(vectors: Vectors) -> Search:
    import faiss

    faiss.omp_set_num_threads(os.cpu_count() or 1)
    lists = int(LISTS_PER_ROOT * len(vectors) ** 0.5)
    size = vectors.shape[1]
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(size), size, lists, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors[: 64 * lists])
    index.add(vectors)
    return _faiss_search(index, "nprobe", index)


def _faiss_hnsw(vectors: Vectors) -> Search:
    import faiss

    faiss.omp_set_num_threads(os.cpu_count() or 1)
    index = faiss.IndexHNSWFlat(vectors.shape[1], M)  # by L2: the same order on unit rows
    index.hnsw.efConstruction = EF_CONSTRUCTION
    index.add(vectors)
    return _faiss_search(index, "efSearch", index.hnsw)


def _faiss_search(index: Any, knob: str, holder: Any) -> Search:
    import faiss

    def search(vector: Any, k: int, setting: int) -> Any:
        faiss.omp_set_num_threads(1)
        setattr(holder, knob, setting)
        return index.search(vector[None], k)[1][0]

    return search


def _hnswlib(vectors: Vectors) -> Search:
    import hnswlib

    index = hnswlib.Index(space="ip", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), M=M, ef_construction=EF_CONSTRUCTION)
    index.add_items(vectors)

    def search(vector: Any, k: int, setting: int) -> Any:
        index.set_ef(max(setting, k))
        return index.knn_query(vector, k, num_threads=1)[0][0].astype(np.int64)

    return search


def _usearch(vectors: Vectors) -> Search:
    from usearch.index import Index

    index = Index(
        ndim=vectors.shape[1],
        metric="ip",
        dtype="f16",
        connectivity=M,
        expansion_add=EF_CONSTRUCTION,
    )
    index.add(np.arange(len(vectors)), vectors)

    def search(vector: Any, k: int, setting: int) -> Any:
        index.expansion_search = setting
        return index.search(vector, k, threads=1).keys.astype(np.int64)

    return search
