"""Building and repairing the stored lists: time, memory, exactness.

At 15,000 products (the article's set) beside faiss and the article's full matrix, at 100,000 in
tiles, at 1,000,000 by clusters of which a sample is built; repairs at 100,000. Vectors are made
up (``_vectors``), 512 dimensions; two threads for everybody; times are medians of runs that take
turns. ``--quick`` measures the same on smaller shops.
"""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np

from benchmarks._clusters import by_clusters
from benchmarks._lists import (
    MEGABYTE,
    SERVED,
    STORED,
    build_anew,
    extra_memory,
    taking_turns,
    the_space,
    timed,
    worst_difference,
)
from benchmarks._report import Row, circumstances, main, told
from benchmarks._vectors import Vectors, clustered
from benchmarks.shop import fill, running_shop

THREADS = 2
SIZES, QUICK_SIZES = (15_000, 100_000, 1_000_000), (3_000, 20_500, 30_000)
PHOTOS = 32


def measure(*, quick: bool) -> list[Row]:
    """Measure from small to large, in one server."""
    small, medium, large = QUICK_SIZES if quick else SIZES
    repeats = 3 if quick else 5
    with running_shop():
        with circumstances(n=small, seed=0, repeats=repeats):
            found, seconds = in_one_process(small, repeats)
            rows = told(found)
        with circumstances(n=medium, seed=0, repeats=1):
            rows += told(in_tiles(medium, seconds * (medium / small) ** 2, small))
        with circumstances(n=medium, seed=0, repeats=repeats):
            rows += told(repairs(medium, repeats))
        with circumstances(n=large, seed=0, repeats=1):
            return rows + told(by_clusters(large, queries=1_000 if quick else 10_000))


def in_one_process(n: int, repeats: int) -> tuple[list[Row], float]:
    """All lists of a small shop; also return how long reading, computing and writing take."""
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
    whole = statistics.median(timed(build_anew) for _ in range(repeats))
    rows = [
        Row(f"{n:,}: computing all lists", ours, "s", "faiss IndexFlatIP", faiss),
        Row(f"{n:,}: computing all lists", ours, "s", "the article's full matrix", matrix),
        Row(f"{n:,}: read, compute, write", whole, "s", "faiss, computing only", faiss),
        Row(
            f"{n:,}: extra memory", extra_memory()[0], "MB", "the full matrix", n * n * 4 / MEGABYTE
        ),
        Row(f"{n:,}: largest difference", worst_difference(), "", "what counts as a tie", 1e-6),
    ]
    return rows, whole


def faiss_lists(unit: Vectors) -> None:
    """Look every product up in a flat index: itself and 64 others."""
    import faiss

    faiss.omp_set_num_threads(THREADS)
    index = faiss.IndexFlatIP(unit.shape[1])
    index.add(unit)
    index.search(unit, SERVED + 1)


def full_matrix(unit: Vectors) -> Any:
    """Make the whole matrix, sort each row, keep the first ones."""
    matrix = unit @ unit.T
    return np.argsort(-matrix, axis=1)[:, 1 : SERVED + 1].copy()


def in_tiles(n: int, squared: float, before: int) -> list[Row]:
    """All lists exactly, in tiles, beside growth by the square of the size."""
    fill(n, index=False)
    megabytes, seconds = extra_memory()
    matrix = n * n * 4 / MEGABYTE
    return [
        Row(f"{n:,}: all lists in tiles", seconds, "s", f"squared from {before:,}", squared),
        Row(f"{n:,}: extra memory", megabytes, "MB", "the full matrix", matrix),
        Row(
            f"{n:,}: largest difference", worst_difference(2_000), "", "what counts as a tie", 1e-6
        ),
    ]


def repairs(n: int, repeats: int) -> list[Row]:
    """Photos that changed, a batch and one alone, in the shop whose lists were just built."""
    from imgrec import jobs, neighbours

    space = the_space()
    random = np.random.default_rng(1)
    table = space.embedding_model.objects
    asked = timed(lambda: [_ask_for_a_list(key) for key in range(1, 21)]) / 20

    def change(count: int) -> tuple[float, int]:
        keys = [int(key) for key in random.choice(n, count, replace=False) + 1]
        for key, vector in zip(keys, clustered(count, draw=int(random.integers(1e9))), strict=True):
            table.filter(pk=key).update(vector=vector)
        holding = space.list_model.objects.filter(neighbours__overlap=keys).count()
        jobs.mark_lists(space, [(str(key), str(key)) for key in keys])
        return timed(lambda: neighbours.repair(space)), holding + count

    rows = []
    for count in (PHOTOS, 1):
        runs = [change(count) for _ in range(repeats)]
        value = 1000 * statistics.median(seconds for seconds, _lists in runs) / count
        rival = 1000 * asked * statistics.median(lists for _seconds, lists in runs) / count
        name = f"{n:,}: repair, {count} at once, a photo"
        rows.append(Row(name, value, "ms", "a query a list", rival))
    left = worst_difference(2_000)
    return [*rows, Row(f"{n:,}: largest difference then", left, "", "what counts as a tie", 1e-6)]


def _ask_for_a_list(key: int) -> None:
    """Compute one list in SQL, exactly."""
    from django.db.models import FloatField, Value
    from pgvector.django import CosineDistance

    table = the_space().embedding_model.objects
    vector = table.values_list("vector", flat=True).get(pk=key)
    exact: Any = CosineDistance("vector", vector) + Value(0.0, output_field=FloatField())
    list(table.exclude(pk=key).annotate(d=exact).order_by("d").values_list("pk", "d")[:STORED])


if __name__ == "__main__":
    main("lists", measure)
