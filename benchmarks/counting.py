"""What counting clicks takes: messages a second of many visitors who all want the same sum.

The rivals: one row for a sum instead of several, and a wait for the disk on each message.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks._report import Row, circumstances, main
from benchmarks._shop import running_shop

THREADS = 16
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
BESIDES = "one row a sum, waiting for the disk"


def measure(*, quick: bool) -> list[Row]:
    """Return messages a second, and how long the slowest of a hundred takes."""
    each = 50 if quick else 250
    with running_shop():
        from django.test import override_settings

        override_settings(IMGREC={"count_clicks": True}).enable()
        _told(10)
        ours = _told(each)
        with _rival(shards=1, waits=False):
            one_row = _told(each)
        with _rival(shards=8, waits=True):
            waiting = _told(each)
        with _rival(shards=1, waits=True):
            both = _told(each)
        forged = _told(each, forged=True)
    n = THREADS * each
    with circumstances(n=n, repeats=1):
        return [
            Row("messages a second", n / ours[0], "/s", BESIDES, n / both[0]),
            Row("messages a second", n / ours[0], "/s", "one row a sum", n / one_row[0]),
            Row("messages a second", n / ours[0], "/s", "waiting for the disk", n / waiting[0]),
            Row("slowest of a hundred", 1000 * ours[1], "ms", BESIDES, 1000 * both[1]),
            Row("messages a second", n / forged[0], "/s", "true ones", n / ours[0], note="forged"),
        ]


@contextmanager
def _rival(*, shards: int, waits: bool) -> Iterator[None]:
    from imgrec.earning import counting

    kept = counting.SHARDS, counting._MANNERS
    counting.SHARDS = shards
    if waits:
        counting._MANNERS = counting._MANNERS.replace("'off'", "'on'")
    try:
        yield
    finally:
        counting.SHARDS, counting._MANNERS = kept


def _told(each: int, *, forged: bool = False) -> tuple[float, float]:
    """Return the seconds all messages took, and those of the slowest of a hundred."""
    from imgrec.earning.tokens import Token

    before = _counted()
    new = partial(Token.new, "page", "shop.product.embedding", experiment=0, arm="", cards=8)
    end = "x" if forged else ""
    tokens = [[new().text + end for _ in range(each)] for _ in range(THREADS)]
    started_at = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        taken = sorted(one for those in threads.map(_tell, tokens) for one in those)
    seconds = time.perf_counter() - started_at
    # Who is told nothing in any case must look for himself whether anything was counted.
    assert _counted() - before == (0 if forged else THREADS * each)
    return seconds, taken[len(taken) * 99 // 100]


def _counted() -> int:
    from django.db.models import Sum

    from imgrec.earning.tables import ListCount

    return ListCount.objects.aggregate(n=Sum("seen"))["n"] or 0


def _tell(tokens: list[str]) -> list[float]:
    """Send a message of each token through the view, as one web server's thread."""
    from django.db import connection
    from django.test import RequestFactory

    from imgrec.earning.views import count

    post: Any = RequestFactory(headers={"User-Agent": BROWSER}).post
    taken = []
    for token in tokens:
        body = f'{{"token": "{token}", "view": "0123456789abcdef", "seen": true, "cards": []}}'
        request = post("/", body, content_type="text/plain")
        started_at = time.perf_counter()
        count(request)
        taken.append(time.perf_counter() - started_at)
    connection.close()
    return taken


if __name__ == "__main__":
    main("counting", measure)
