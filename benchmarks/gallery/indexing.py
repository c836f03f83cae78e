"""Photos on disk become rows, by worker processes that do what a Celery task does."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEGABYTE = 1_000_000
KIBIBYTE = 1024


@dataclass(frozen=True)
class Indexed:
    """What indexing took: seconds from the start to the last row, and of each process

    the megabytes with its model loaded, those added at its peak, and the seconds from its start to
    its first vector.
    """

    seconds: float
    loaded: float
    added: float
    cold: float
    forward_passes: int


def index(paths: list[Path], processes: int, *, again: bool = False) -> Indexed:
    """Index photos from none, or again as they are; the processes are warm before."""
    if not again:
        _fill(paths)
    _ask_for_all()
    context = multiprocessing.get_context("spawn")
    barrier, reports = context.Barrier(processes + 1), context.Queue()
    workers = [
        context.Process(target=_work, args=(time.time(), barrier, reports))
        for _ in range(processes)
    ]
    for each in workers:
        each.start()
    barrier.wait()
    began = _now()
    found = [reports.get() for _ in workers]
    for each in workers:
        each.join()
    loaded, added, cold, passes = zip(*found, strict=True)
    seconds = 0.0 if again else _last_row_at(len(paths)) - began
    return Indexed(seconds, max(loaded), max(added), max(cold), sum(passes))


def _fill(paths: list[Path]) -> None:
    from django.db import connection

    from benchmarks.gallery.models import Product
    from imgrec.models import EmbeddingJob

    space = _space()
    with connection.cursor() as cursor:
        tables = (Product, space.embedding_model, space.list_model, EmbeddingJob)
        names = ", ".join(f'"{each._meta.db_table}"' for each in tables)
        cursor.execute(f"TRUNCATE {names}")
    Product.objects.bulk_create(Product(photo=f"photos/{path.name}") for path in paths)


def _ask_for_all() -> None:
    from benchmarks.gallery.models import Product
    from imgrec import adding, space_rows

    space_rows.sync()
    adding.add_rows(_space(), Product.objects.all(), priority=0)


def _work(started_at: float, barrier: Any, reports: Any) -> None:
    """Load the model, wait for the others, do all work."""
    import django

    django.setup()
    from imgrec import indexing

    embedder: Any = _space().embedder
    indexing.warm_up(_space())
    cold = time.time() - started_at
    loaded = _status("VmRSS")
    passes = _counted(embedder)
    Path("/proc/self/clear_refs").write_text("5")
    barrier.wait()
    indexing.work()
    reports.put((loaded, _status("VmHWM") - loaded, cold, passes[0]))


def _counted(embedder: Any) -> list[int]:
    """Count the pictures that go through the network from now on."""
    seen = [0]
    kind, real = type(embedder), type(embedder).embed_prepared

    def counting(self: Any, inputs: Any, /) -> Any:
        seen[0] += len(inputs)
        return real(self, inputs)

    kind.embed_prepared = counting
    return seen


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    kibibytes = next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(kibibytes) * KIBIBYTE / MEGABYTE


def _space() -> Any:
    from imgrec.spaces import all_spaces

    return all_spaces()[0]


def _now() -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        return float(cursor.fetchone()[0])


def _last_row_at(count: int) -> float:
    from django.db.models import Count, Max

    found = _space().embedding_model.objects.aggregate(Count("pk"), Max("embedded_at"))
    assert found["pk__count"] == count, "a photo is missing"
    return float(found["embedded_at__max"].timestamp())


def writes() -> int:
    """Return how many rows of vectors and lists were ever written, as PostgreSQL counts them."""
    from django.db import connection

    space = _space()
    names = [each._meta.db_table for each in (space.embedding_model, space.list_model)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(n_tup_ins + n_tup_upd) FROM pg_stat_user_tables WHERE relname = ANY(%s)",
            [names],
        )
        return int(cursor.fetchone()[0])
