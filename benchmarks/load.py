"""The demo shop under load, while its worker rests and while it embeds all photos anew.

PostgreSQL, Redis, gunicorn (one process, eight threads) and a worker of two processes run as
``manage.py demo`` starts them, on this one machine, whose cores the requests' sender takes too.
Eight connections ask for the product pages, then the API's lists, of all products in turns:
requests a second, the latency's median and 99th percentile, and errors, of which there are none to
be. Meanwhile the worker embeds: before each reindex every photo file gets other bytes after its
end, which no decoder reads, or the worker would know the photos and have nothing to do.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._driving import Load, drive
from benchmarks._photos import catalogue
from benchmarks._report import Row, circumstances, main, progress

PRODUCTS, QUICK_PRODUCTS = 1_000, 100
SECONDS, QUICK_SECONDS = 10.0, 4.0
WARM_SECONDS = 2.0
# A worker that has not begun by then never will.
BEGIN_SECONDS = 60.0

_PATHS = {
    "product page": "SELECT '/products/' || id || '/' || slug || '/' FROM shop_product",
    "API": "SELECT '/api/shop/product/' || id || '/similar/?limit=8' FROM shop_product",
}
_EMBEDDED = "SELECT coalesce(sum(total), 0)::int FROM imgrec_tally WHERE what = 'embedded'"


@dataclass(frozen=True)
class Shop:
    """The running demo shop."""

    stack: Any
    database: Any

    def ask(self, statement: str) -> list[Any]:
        """Return the first column of a statement's rows."""
        return [value for (value,) in self.database.execute(statement).fetchall()]

    def embedded(self) -> int:
        """Return how many photos the workers have embedded so far."""
        return int(self.ask(_EMBEDDED)[0])


def measure(*, quick: bool) -> list[Row]:
    """Return the rows of both addresses, and what the worker got done meanwhile."""
    count, seconds = (QUICK_PRODUCTS, QUICK_SECONDS) if quick else (PRODUCTS, SECONDS)
    with circumstances(n=count), _running_shop(count) as shop:
        paths = {name: shop.ask(statement) for name, statement in _PATHS.items()}
        assert all(len(each) == count for each in paths.values())
        resting = {name: _load(shop, each, seconds) for name, each in paths.items()}
        with _reindexing(shop):
            alone = _rate(shop, seconds)
            before, began = shop.embedded(), time.perf_counter()
            working = {name: _load(shop, each, seconds) for name, each in paths.items()}
            rate = (shop.embedded() - before) / (time.perf_counter() - began)
    rows = [row for name in paths for row in _rows(name, working[name], resting[name])]
    assert rate > 0, "the worker did nothing meanwhile"
    return [*rows, Row("photos embedded meanwhile", rate, "1/s", "without load", alone)]


def _rows(name: str, working: Load, resting: Load) -> Iterator[Row]:
    title, rival = f"{name}, worker embedding", "worker resting"
    note = f"by {working.by}"
    figures = ("requests", "per_second", "1/s"), ("p50", "p50", "ms"), ("p99", "p99", "ms")
    with circumstances(repeats=working.requests):
        for what, attribute, unit in figures:
            ours, theirs = getattr(working, attribute), getattr(resting, attribute)
            yield Row(f"{title}: {what}", ours, unit, rival, theirs, note=note)
        errors = working.errors + resting.errors
        asked = working.requests + resting.requests
        yield Row(f"{name}: errors", errors, "", "of requests", asked, repeats=asked, note=note)


def _load(shop: Shop, paths: list[str], seconds: float) -> Load:
    address = shop.stack.address
    drive(address, paths, seconds=WARM_SECONDS)
    found = drive(address, paths, seconds=seconds)
    progress(f"{paths[0]}: {found}")
    return found


def _rate(shop: Shop, seconds: float) -> float:
    """Return the photos a second that the worker embeds when nobody asks for pages."""
    before, began = shop.embedded(), time.perf_counter()
    time.sleep(seconds)
    return (shop.embedded() - before) / (time.perf_counter() - began)


@contextmanager
def _running_shop(count: int) -> Iterator[Shop]:
    import psycopg

    from demo_shop.running.demo import fill
    from demo_shop.running.folder import DataFolder
    from demo_shop.running.stack import Stack
    from demo_shop.services import free_port

    with tempfile.TemporaryDirectory() as folder:
        photos = _photos(Path(folder, "photos"), count)
        data = DataFolder(Path(folder, "data"))
        data.take()
        with Stack(data, port=free_port(), say=progress) as stack:
            fill(stack, photos)
            stack.start_shop()
            if stack.manage("imgrec_index", "--missing"):
                raise SystemExit("The shop could not be indexed.")
            with psycopg.connect(stack.postgres.url, autocommit=True) as database:
                yield Shop(stack, database)


def _photos(folder: Path, count: int) -> Path:
    """Copy photos of the test data, evenly chosen, into a folder."""
    folder.mkdir()
    sources = catalogue()
    for number in range(count):
        source = sources[number * len(sources) // count]
        shutil.copy(source, folder / f"{number:05d}{source.suffix}")
    return folder


@contextmanager
def _reindexing(shop: Shop) -> Iterator[None]:
    """Have all photos embedded anew, again and again, until the block ends."""
    stop, failed = threading.Event(), threading.Event()
    thread = threading.Thread(target=_reindex, args=(shop, stop, failed))
    before, waits_until = shop.embedded(), time.monotonic() + BEGIN_SECONDS
    thread.start()
    try:
        while shop.embedded() == before:
            assert time.monotonic() < waits_until, "the worker does not begin"
            time.sleep(0.1)
        yield
        assert not failed.is_set(), "a reindex ended with an error"
    finally:
        stop.set()
        thread.join()


def _reindex(shop: Shop, stop: threading.Event, failed: threading.Event) -> None:
    from demo_shop.running import commands

    files = [path for path in (shop.stack.folder.path / "media").rglob("*") if path.is_file()]
    number = 0
    while not stop.is_set() and not failed.is_set():
        number += 1
        for path in files:
            with path.open("ab") as file:
                file.write(b"%08d" % number)
        command = commands.manage("imgrec_index", "--all")
        process = subprocess.Popen(
            command, env=shop.stack.environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while process.poll() is None and not stop.wait(0.2):
            pass
        if process.poll() is None:
            process.terminate()
        elif process.returncode:
            failed.set()
        process.wait()


if __name__ == "__main__":
    main("load", measure)
