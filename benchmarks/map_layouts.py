"""Ways to arrange a catalogue on a map: time, memory, and whether neighbours stay neighbours.

    python -m benchmarks.map_layouts --ways pca,opentsne --vectors 1000,15000 --json FILE

Trustworthiness (scikit-learn, 10 neighbours, of at most 4,000 drawn by chance): 1 when all who are
neighbours on the map are neighbours in the space. umap-learn and scikit-learn's own t-SNE are
measured where they are installed; "lists" are given the neighbours, as imgrec does. Each way runs
in a process of its own, for its memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from imgrec.catalogue_map import layout

WAYS = ("pca", "opentsne", "opentsne-lists", "sklearn", "umap", "umap-lists")
DIMENSIONS, GROUPS = 64, 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--vectors", default="1000,15000")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one[0], int(options.one[1]), options.threads)))
        return
    found = []
    for count in options.vectors.split(","):
        for way in options.ways.split(","):
            command = [sys.executable, "-m", "benchmarks.map_layouts", "--one", way, count]
            done = subprocess.run(
                [*command, "--threads", str(options.threads)], capture_output=True, text=True
            )
            if done.returncode:
                print(f"{count:>8} {way:16} {done.stderr.strip().splitlines()[-1]}", flush=True)
                continue
            row = json.loads(done.stdout.splitlines()[-1])
            found.append(row)
            print(
                f"{count:>8} {way:16} {row['seconds']:8.1f} s {row['cpu_seconds']:8.1f} s CPU "
                f"{row['megabytes']:6} MB "
                f"{row['trustworthiness']:.3f}",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


def measure(way: str, count: int, threads: int) -> dict[str, Any]:
    vectors = catalogue(count)
    places, similarities = neighbours(vectors) if way.endswith("-lists") else (None, None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, cpu = time.perf_counter(), time.process_time()
    points = ARRANGE[way](vectors, places, similarities, threads)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    from sklearn.manifold import trustworthiness

    drawn = np.random.default_rng(1).choice(count, min(count, 4_000), replace=False)
    return {
        "way": way,
        "vectors": count,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "megabytes": (after - before) // 1024,
        "trustworthiness": round(
            float(trustworthiness(vectors[drawn], points[drawn], n_neighbors=10)), 4
        ),
    }


def catalogue(count: int) -> Any:
    """Return unit vectors in groups of groups, as categories and their models are."""
    random = np.random.default_rng(0)
    large = random.normal(size=(GROUPS // 10, DIMENSIONS))
    small = large[random.integers(len(large), size=GROUPS)]
    small = small + 0.6 * random.normal(size=(GROUPS, DIMENSIONS))
    made = small[random.integers(GROUPS, size=count)]
    made = made + 0.35 * random.normal(size=(count, DIMENSIONS))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def neighbours(vectors: Any) -> tuple[Any, Any]:
    k = layout.NEIGHBOURS
    places = np.empty((len(vectors), k), np.int32)
    similarities = np.empty((len(vectors), k), np.float32)
    for begin in range(0, len(vectors), 1_000):
        table = vectors[begin : begin + 1_000] @ vectors.T
        table[np.arange(len(table)), np.arange(begin, begin + len(table))] = -np.inf
        chosen = np.argpartition(-table, k, axis=1)[:, :k]
        values = np.take_along_axis(table, chosen, axis=1)
        order = np.argsort(-values, axis=1)
        places[begin : begin + len(table)] = np.take_along_axis(chosen, order, axis=1)
        similarities[begin : begin + len(table)] = np.take_along_axis(values, order, axis=1)
    return places, similarities


def _pca(vectors: Any, *_: Any) -> Any:
    centred = vectors - vectors.mean(axis=0)
    return centred @ np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :2]


def _opentsne(vectors: Any, _places: Any, _similarities: Any, threads: int) -> Any:
    from openTSNE import TSNE

    return np.asarray(TSNE(metric="cosine", n_jobs=threads, random_state=0).fit(vectors))


def _opentsne_lists(vectors: Any, places: Any, similarities: Any, threads: int) -> Any:
    start = _pca(vectors).astype(np.float64)
    return layout.arranged(places, similarities, start, lambda *_: None, threads)


def _sklearn(vectors: Any, _places: Any, _similarities: Any, threads: int) -> Any:
    from sklearn.manifold import TSNE

    return TSNE(init="pca", n_jobs=threads, random_state=0).fit_transform(vectors)


def _umap(vectors: Any, _places: Any, _similarities: Any, threads: int) -> Any:
    from umap import UMAP

    return UMAP(metric="cosine", n_jobs=threads).fit_transform(vectors)


def _umap_lists(vectors: Any, places: Any, similarities: Any, threads: int) -> Any:
    from umap import UMAP

    own = np.arange(len(vectors))[:, None]
    distances = np.sqrt(np.maximum(2 - 2 * similarities[:, :30], 0))
    known = np.hstack([own, places[:, :30]]), np.hstack([np.zeros_like(own), distances]), None
    return UMAP(n_neighbors=31, n_jobs=threads, precomputed_knn=known).fit_transform(vectors)


ARRANGE: dict[str, Callable[..., Any]] = {
    "pca": _pca,
    "opentsne": _opentsne,
    "opentsne-lists": _opentsne_lists,
    "sklearn": _sklearn,
    "umap": _umap,
    "umap-lists": _umap_lists,
}


if __name__ == "__main__":
    main()
