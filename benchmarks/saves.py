"""What imgrec adds to a save: price changes, and photos while the broker is away.

The rival is the same saves without imgrec's receivers.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks._report import Row, circumstances, main
from benchmarks._shop import running_shop

SAVES = 1000
PHOTOS = {"healthy": 200, "refusing": 200, "frozen": 50, "wrong password": 50}


def measure(*, quick: bool) -> list[Row]:
    """Return the price-change rows and one row for each state of the broker."""
    with running_shop() as redis:
        return [*_price_changes(5 if quick else 15), *_broker_rows(redis)]


def _price_changes(rounds: int) -> list[Row]:
    """1,000 saves in one transaction, with and without our receivers, in turns."""
    from tests.pictures import upload
    from tests.testapp.models import Product

    key = Product.objects.create(photo=upload(0.1)).pk
    with_us, without = [], []
    for _ in range(rounds):
        with _without_receivers():
            without.append(_change_prices(Product, key))
        with_us.append(_change_prices(Product, key))
    ours, theirs = statistics.median(with_us), statistics.median(without)
    statements = _count_statements(Product, key)
    with _without_receivers():
        fewest = _count_statements(Product, key)
    with circumstances(n=SAVES, repeats=rounds):
        return [
            Row("1,000 price changes", ours, "s", "without imgrec", theirs),
            Row("their statements", statements, "", "without imgrec", fewest, repeats=1),
        ]


def _change_prices(model: Any, key: Any) -> float:
    """Return the seconds of 1,000 saves of products that were loaded before."""
    from django.db import transaction

    products = [model.objects.get(pk=key) for _ in range(SAVES)]
    started_at = time.perf_counter()
    with transaction.atomic():
        for number, product in enumerate(products):
            product.price = number
            product.save()
    return time.perf_counter() - started_at


def _count_statements(model: Any, key: Any) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    products = [model.objects.get(pk=key) for _ in range(SAVES)]
    with CaptureQueriesContext(connection) as captured:
        for product in products:
            product.save()
    return len(captured)


@contextmanager
def _without_receivers() -> Iterator[None]:
    """Take every receiver off the model's signals, and put them back."""
    from django.db.models.signals import post_delete, post_init, post_save, pre_save

    signals = (post_init, pre_save, post_save, post_delete)
    kept = [signal.receivers for signal in signals]
    for signal in signals:
        signal.receivers = [
            entry for entry in signal.receivers if not str(entry[0][0]).startswith("imgrec.")
        ]
        signal.sender_receivers_cache.clear()
    try:
        yield
    finally:
        for signal, receivers in zip(signals, kept, strict=True):
            signal.receivers = receivers
            signal.sender_receivers_cache.clear()


def _broker_rows(redis: Any) -> list[Row]:
    """What we add to the 95th percentile is the difference of value and rival."""
    from tests.brokers import in_trouble

    rows = []
    for trouble, count in PHOTOS.items():
        with _without_receivers():
            usual = _p95(_save_photos(count))
        with in_trouble(redis, trouble):
            ours = _p95(_save_photos(count))
        title = f"p95 of {count} photo saves, broker {trouble}"
        values = (1000 * ours, "ms", "without imgrec", 1000 * usual)
        rows.append(Row(title, *values, n=count, repeats=count))
    return rows


def _save_photos(count: int) -> list[float]:
    from tests.pictures import upload
    from tests.testapp.models import Product

    took = []
    for number in range(count):
        file = upload(number / count)
        started_at = time.perf_counter()
        Product.objects.create(photo=file)
        took.append(time.perf_counter() - started_at)
    return took


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


if __name__ == "__main__":
    main("saves", measure)
