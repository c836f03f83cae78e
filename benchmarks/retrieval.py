"""Live search: how complete and how right its answers are, and how long they take.

At each size, on made-up features that behave like real ones (``benchmarks.vectors``):

- 1,000 products each look for their ten nearest under every filter, by ``similar_products``, by
  ``.similar_to()`` and by SQL as one would write it for pgvector with its defaults (m 16,
  ef_construction 64, ef_search 40, no iterative scan; up to 200,000 products on an index of
  its own). Each answer is compared with brute force: "complete" is the share of answers with
  min(10, eligible) products, "recall@10" how many of those are right, a product as near as the
  last right one counting as right.
- p50 of both calls beside SQL by hand in the same transaction, with the same settings and columns.
- p50 and p95 beside faiss, hnswlib and usearch inside the process, each set to no less recall, and
  beside faiss' flat index below the number of products that are searched exactly.

No lists are stored, so that every search is live. Rivals: the extra ``bench``.
"""

from __future__ import annotations

from typing import Any

from benchmarks import _recall as recall
from benchmarks._beside import Recalled, engine_rows, exact_rows
from benchmarks._filters import FILTERS
from benchmarks._live import live_rows
from benchmarks._report import Row, circumstances, main, progress
from benchmarks._seeds import some_products
from benchmarks._truth import Catalogue, Truth, brute_force
from benchmarks.shop import build_index, fill, running_shop
from benchmarks.shop.indexes import hnsw, index_bytes

SIZES, QUICK_SIZES = (1_000, 15_000, 100_000), (1_000, 10_000)
QUERIES, QUICK_QUERIES = 1_000, 60
TIMED, QUICK_TIMED = 200, 40
ROUNDS, QUICK_ROUNDS = 5, 2
DEFAULT_M, DEFAULT_EF_CONSTRUCTION = 16, 64  # pgvector's
DEFAULT_INDEX_UP_TO = 200_000
ENGINES = range(5_001, 200_000)  # fewer are searched exactly; more take hours to build
SEED = 0


def measure(*, quick: bool, sizes: tuple[int, ...] | None) -> list[Row]:
    """Return the rows of every size."""
    rows = []
    with running_shop():
        for n in sizes or QUICK_SIZES:
            with circumstances(n=n, seed=SEED):
                rows += _at(Catalogue(n, SEED), quick=quick)
    return rows


def _at(catalogue: Catalogue, *, quick: bool) -> list[Row]:
    n = catalogue.n
    progress(f"{n:,} products: filling, brute force")
    fill(n, seed=SEED, index=False)
    seeds = some_products(n, QUICK_QUERIES if quick else QUERIES, seed=SEED)
    keys = [seed.pk - 1 for seed in seeds]
    truths = brute_force(catalogue, keys, {each.name: each.mask for each in FILTERS}, recall.K)
    with circumstances(repeats=len(seeds)):
        rows, reached = _quality(catalogue, seeds, truths)
    progress(f"{n:,} products: times")
    timed, rounds = seeds[: QUICK_TIMED if quick else TIMED], QUICK_ROUNDS if quick else ROUNDS
    rows += live_rows(n, timed, rounds)
    rows += exact_rows(catalogue, timed, rounds)
    if n in ENGINES:
        recalled = Recalled(keys, truths["all"], reached)
        rows += engine_rows(catalogue, timed, rounds, recalled)
    return rows


def _quality(
    catalogue: Catalogue, seeds: list[Any], truths: dict[str, Truth]
) -> tuple[list[Row], float]:
    """Return the rows of all filters and of the index, and the recall without a filter."""
    own_index = catalogue.n <= DEFAULT_INDEX_UP_TO
    default_seconds = default_bytes = 0.0
    if own_index:
        default_seconds = build_index(m=DEFAULT_M, ef_construction=DEFAULT_EF_CONSTRUCTION)
        default_bytes = index_bytes()
        progress(f"{catalogue.n:,} products: pgvector by default")
        raw = recall.under_all_filters(catalogue, seeds, truths, recall.raw)
    seconds = build_index()
    if not own_index:
        raw = recall.under_all_filters(catalogue, seeds, truths, recall.raw)
    progress(f"{catalogue.n:,} products: similar_products(), similar_to()")
    ours = recall.under_all_filters(catalogue, seeds, truths, recall.ours)
    queryset = recall.under_all_filters(catalogue, seeds, truths, recall.queryset)
    rival = "pgvector by default" if own_index else "pgvector, ef_search 40"
    note = f"m {hnsw().m}, ef_construction {hnsw().ef_construction}"
    megabytes = 1_000_000
    rows = [
        Row("index built", seconds, "s", "m 16, ef_construction 64", default_seconds, repeats=1,
            note=note),
        Row("index size", index_bytes() / megabytes, "MB", "m 16, ef_construction 64",
            default_bytes / megabytes, repeats=1, note=note),
    ]  # fmt: skip
    rows += recall.rows_of(truths, ours, queryset, raw, rival=rival)
    return rows, ours["all"].recall


if __name__ == "__main__":
    main("retrieval", measure, sizes=SIZES)
