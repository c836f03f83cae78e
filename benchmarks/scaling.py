"""What more workers and more databases would bring: simulated, from demands measured in this run.

Measured (``benchmarks._demands``): the processor time that each kind of work takes of a worker and
of the database. Simulated (``benchmarks._scenarios``): 1, 10 and 100 worker processes with a core
each, a database of 8 cores that are as quick as this machine's and share their time, one list lock
per space; what a worker does alone takes up to a fifth more or less. Nothing else is a bottleneck
there: no network, no disk, no photo storage, no broker. So these are bounds: what cannot be had,
rather than what will be.

- Building: 250,000 products in tiles of 4,096, each compared with all, at the cost a row had in the
  catalogue measured.
- Embedding: a backlog of photos in batches of 32.
- Saving: the most photos a second, in a catalogue as large as the one measured, whose vectors and
  lists are never more than a minute behind. Whoever holds a space's lock repairs for all that wait,
  up to 1,000 photos in one pass.
- Pages: reads of a stored list at random times, as many as leave their p95 below twice what a read
  takes alone; and their p95 where workers build lists on the same database.
"""

from __future__ import annotations

import tempfile

from benchmarks import _scenarios as scenarios
from benchmarks._demands import Demands, measured
from benchmarks._report import Row, circumstances, main, progress
from benchmarks._scenarios import BUILT, DATABASE_CORES, Outcome
from benchmarks.shop import fill, running_shop

N, QUICK_N = 20_000, 5_000
COUNTS = (1, 10, 100)
QUIET_SHARE = 0.3  # of what the database could do, that pages ask for while lists are built
SEED = 1
# The processes of a parallel query would not be seen by the measurement.
SERVER = {"max_parallel_workers_per_gather": "0", "max_parallel_maintenance_workers": "0"}


def measure(*, quick: bool) -> list[Row]:
    """Return what was measured, and what follows from it."""
    n = QUICK_N if quick else N
    with tempfile.TemporaryDirectory() as media, running_shop(**SERVER):
        from django.test import override_settings

        fill(n, seed=SEED)
        with override_settings(MEDIA_ROOT=media), circumstances(n=n, seed=SEED):
            demands = measured(n, seed=SEED)
            rows = _measured_rows(demands)
        progress("simulating")
        return [*rows, *_worker_rows(demands), *_page_rows(demands)]


def _measured_rows(demands: Demands) -> list[Row]:
    """Return each kind's demand of the database beside that of a worker."""
    kinds = {
        "1,000 vectors compared with a tile": demands.pass_row.times(1000),
        "1,000 lists written": demands.list_written.times(1000),
        f"32 photos embedded, {demands.encoder}": demands.batch,
        "pass of a repair": demands.repair,
        "each photo of a repair": demands.repair_photo,
        "look-alikes of a page": demands.page,
    }
    rows = [
        Row(f"measured, database: {name}", 1000 * each.database, "ms", "worker", 1000 * each.worker)
        for name, each in kinds.items()
    ]
    vectors = demands.vector_bytes / 1000
    return [
        *rows,
        Row("measured: index, a product", demands.index_bytes / 1000, "kB", "its vector", vectors),
        Row(
            "measured: stored list, a product",
            demands.list_bytes / 1000,
            "kB",
            "its vector",
            vectors,
        ),
    ]


def _worker_rows(demands: Demands) -> list[Row]:
    kinds = {
        f"{BUILT:,} lists built": ("h", lambda w: scenarios.build(demands, w, BUILT)),
        "photos embedded": ("1/s", lambda w: scenarios.embed(demands, w)),
        "photos saved, 1 space": ("1/s", lambda w: scenarios.save(demands, w, spaces=1)),
        "photos saved, 10 spaces": ("1/s", lambda w: scenarios.save(demands, w, spaces=10)),
    }
    rows = []
    for name, (unit, simulate) in kinds.items():
        found: dict[int, Outcome] = {workers: simulate(workers) for workers in COUNTS}
        alone = found[1]
        for workers, each in found.items():
            label = f"simulated: {name}, workers: {workers}"
            rows.append(Row(label, each.value, unit, "1 worker", alone.value))
            rows.append(
                Row(
                    f"simulated: busy database, {name}, workers: {workers}",
                    100 * each.load,
                    "%",
                    "all of it",
                    100.0,
                )
            )
    return rows


def _page_rows(demands: Demands) -> list[Row]:
    alone = demands.page.database
    rates = {}
    for replicas in COUNTS:
        share = scenarios.highest(
            lambda share, r=replicas: scenarios.pages(demands, share, replicas=r) <= 2 * alone
        )
        rates[replicas] = share * replicas * DATABASE_CORES / alone
    rows = [
        Row(f"simulated: pages, databases: {replicas}", rate, "1/s", "1 database", rates[1])
        for replicas, rate in rates.items()
    ]
    beside = {w: 1000 * scenarios.pages(demands, QUIET_SHARE, builders=w) for w in (0, *COUNTS)}
    return rows + [
        Row(
            f"simulated: p95 of a page, workers that build: {w}",
            p95,
            "ms",
            "nobody builds",
            beside[0],
        )
        for w, p95 in beside.items()
        if w
    ]


if __name__ == "__main__":
    main("scaling", measure)
