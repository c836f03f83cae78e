"""Search by photo under load: while every photo of the shop is embedded, and under a flood.

The worker's encoder computes for 30 ms a picture, as ResNet-18 does on one slow core. Rivals: the
same search while the worker has nothing else to do, and the same pages while nobody else asks.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks._report import Row, main, progress
from benchmarks._shop import running_shop

SETTINGS = '{"embedder": "benchmarks._paced.PacedGrid", "photo_per_minute": 0}'
FORGED = 200
SHOWN = 200


def measure(*, quick: bool) -> list[Row]:
    """Return the rows of the reindex, then those of the flood."""
    os.environ["IMGREC_TEST_IMGREC"] = SETTINGS
    photos, searches, pages = (150, 20, 100) if quick else (2_000, 200, 1_000)
    with tempfile.TemporaryDirectory() as folder, running_shop(), _worker(Path(folder)):
        return [*_during_reindex(photos, searches), *_during_flood(Path(folder), pages)]


@contextmanager
def _worker(folder: Path) -> Iterator[None]:
    from tests.worker import Worker

    worker = Worker(dict(os.environ), log=folder / "worker.log")
    try:
        yield
    finally:
        worker.stop()


def _during_reindex(photos: int, searches: int) -> list[Row]:
    from imgrec import runs, similar_to_photo, space_rows
    from imgrec.spaces import space_by_label
    from tests.faults.test_photos_during_reindex import photographed
    from tests.pictures import picture, png
    from tests.testapp.models import Product

    space_rows.sync()
    space: Any = space_by_label("testapp.product.embedding")
    data = png(picture(0.3, size=600))

    def search() -> None:
        similar_to_photo(data, model=Product)

    search()
    idle = [_seconds(search) for _ in range(searches)]
    progress(f"a reindex of {photos} photos")
    photographed(photos)
    runs.start(space)
    busy: list[float] = []
    while runs.progress(space).running:
        busy.append(_seconds(search))
    return [
        Row(
            f"{name} of a photo search during a reindex",
            value(busy),
            "s",
            "worker idle",
            value(idle),
            n=photos,
            repeats=len(busy),
        )
        for name, value in (("p50", statistics.median), ("p95", _p95))
    ]


def _during_flood(folder: Path, pages: int) -> list[Row]:
    from tests.faults.web_server import WebServer
    from tests.testapp.models import Product

    keys = list(Product.objects.values_list("pk", flat=True)[:SHOWN])
    log, options = folder / "gunicorn.log", ["--threads", "16"]
    with WebServer(dict(os.environ), log=log, options=options) as server:

        def page(number: int) -> None:
            assert server.ask(f"/product/{keys[number % len(keys)]}/")[0] == 200

        alone = _pages(page, pages)
        with _flood(server) as answers:
            meanwhile = _pages(page, pages)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(answers.items()))
    return [
        Row(
            f"{name} of a product page during {FORGED} forged searches",
            1000 * value(meanwhile),
            "ms",
            "nobody searches",
            1000 * value(alone),
            n=len(keys),
            repeats=pages,
            note=f"searches: {kinds}",
        )
        for name, value in (("p50", statistics.median), ("p95", _p95))
    ]


@contextmanager
def _flood(server: Any) -> Iterator[dict[str, int]]:
    """Have addresses of their own search by photo again and again, a few at a time."""
    from tests.faults.test_photo_seats import search

    answers: dict[str, int] = {}
    ended, lock = threading.Event(), threading.Lock()

    def one(first: int) -> None:
        number = first
        while not ended.is_set():
            status, code = search(server, number % FORGED)
            number += 8
            with lock:
                kind = code or str(status)
                answers[kind] = answers.get(kind, 0) + 1
            time.sleep(8 / FORGED)  # as many a second as there are addresses

    with ThreadPoolExecutor(8) as pool:
        for first in range(8):
            pool.submit(one, first)
        try:
            yield answers
        finally:
            ended.set()


def _pages(page: Callable[[int], None], count: int) -> list[float]:
    for number in range(10):
        page(number)
    return [_seconds(lambda number=number: page(number)) for number in range(count)]


def _seconds(call: Callable[[], None]) -> float:
    started_at = time.perf_counter()
    call()
    return time.perf_counter() - started_at


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


if __name__ == "__main__":
    main("photo_search", measure)
