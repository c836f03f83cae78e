"""Search by photo holds its bounds, however many addresses those who ask pretend to come from."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
from pytest_django import Settings

from imgrec import photo_queries, photo_seats
from imgrec.errors import PhotoSearchUnavailable
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.faults.web_server import FILE_BEGINS, WebServer
from tests.pictures import picture, png, upload
from tests.testapp.models import Product
from tests.worker import Worker

ASK = 200
THREADS = 80
API = "/api/testapp/product/similar-to-photo/"


@pytest.fixture
def redis(redis_server: object, settings: Settings) -> Iterator[Any]:
    with redis_client.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.flushdb()
        yield client


@pytest.fixture
def space(redis: Any) -> SpaceDefinition:
    found = space_by_label("testapp.product.embedding")
    assert found is not None
    return found


def ask(space: SpaceDefinition) -> str:
    try:
        photo_queries.ask(space, png(picture(0.3)))
    except PhotoSearchUnavailable as error:
        return error.code
    return "answered"


def test_no_more_wait_at_once_than_there_are_seats(
    space: SpaceDefinition, redis: Any, settings: Settings
) -> None:
    """Nobody answers, and all who have a seat wait longer than it takes the others to ask."""
    settings.IMGREC = {**settings.IMGREC, "photo_wait_seconds": 3.0, "photo_at_once": 3}
    together = threading.Barrier(THREADS)

    def one(_number: int) -> str:
        together.wait()
        return ask(space)

    with ThreadPoolExecutor(THREADS) as pool:
        codes = Counter(pool.map(one, range(THREADS)))
    assert codes == {"no_answer": 3, "busy": THREADS - 3}
    assert redis.zcard(photo_seats.WAITING) == 0
    settings.IMGREC = {**settings.IMGREC, "photo_wait_seconds": 0.01}
    assert ask(space) == "no_answer", "their seats are free again"


def test_no_more_ask_a_minute_than_may(
    space: SpaceDefinition, redis: Any, settings: Settings
) -> None:
    settings.IMGREC = {**settings.IMGREC, "photo_wait_seconds": 0.01, "photo_per_minute": 7}
    assert Counter(ask(space) for _ in range(20)) == {"no_answer": 7, "busy": 13}
    newest = redis.zrange(photo_seats.STARTED, 0, -1, withscores=True)
    for token, milliseconds in newest[:2]:
        redis.zadd(photo_seats.STARTED, {token: milliseconds - photo_seats.MINUTE_MS})
    assert Counter(ask(space) for _ in range(5)) == {"no_answer": 2, "busy": 3}


def test_a_web_process_that_was_killed_gives_its_seat_back(
    space: SpaceDefinition, redis: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMGREC = {**settings.IMGREC, "photo_wait_seconds": 0.05, "photo_at_once": 1}
    monkeypatch.setattr(photo_seats, "GRACE_SECONDS", 0.3)
    assert photo_seats.take(redis, "of one that never left")
    assert ask(space) == "busy"
    time.sleep(0.4)
    assert ask(space) == "no_answer"


def test_bounds_of_zero_are_none(space: SpaceDefinition, redis: Any, settings: Settings) -> None:
    none = {"photo_at_once": 0, "photo_per_minute": 0, "photo_wait_seconds": 0.01}
    settings.IMGREC = {**settings.IMGREC, **none}
    assert {ask(space) for _ in range(10)} == {"no_answer"}
    assert not redis.exists(photo_seats.STARTED)


def search(server: WebServer, number: int) -> tuple[int, str]:
    """Send a photo, from an address of its own as far as its header goes."""
    body = FILE_BEGINS + png(picture(number / ASK)) + b"\r\n--x--\r\n"
    headers = {
        "Content-Type": "multipart/form-data; boundary=x",
        "X-Forwarded-For": f"203.0.{number // 250}.{number % 250}",
    }
    status, answer = server.ask(API, body, headers)
    return status, str(json.loads(answer).get("code", ""))


@pytest.mark.timeout(300)  # a busy machine takes its time over two hundred photos
@pytest.mark.django_db(transaction=True)
def test_two_hundred_forged_addresses(
    start_worker: Callable[..., Worker],
    environment: Callable[..., dict[str, str]],
    redis: Any,
    settings: Settings,
    tmp_path: Path,
) -> None:
    """The throttle of Django REST framework, five a minute and address, lets all of them pass."""
    bounds = {"photo_at_once": 2, "photo_per_minute": 30}
    settings.IMGREC = {**settings.IMGREC, **bounds}
    start_worker()
    shown = [Product.objects.create(photo=upload(i / 9)) for i in range(9)]
    most = 0
    ended = threading.Event()

    def count() -> None:
        nonlocal most
        while not ended.is_set():
            most = max(most, len(redis.keys("imgrec:photo:*")), redis.zcard(photo_seats.WAITING))

    options = ["--threads", "16"]
    with (
        WebServer(environment(), log=tmp_path / "gunicorn.log", options=options) as server,
        ThreadPoolExecutor(ASK // 4 + 1) as pool,
    ):
        counting = pool.submit(count)
        answers = list(pool.map(lambda number: search(server, number), range(ASK)))
        ended.set()
        counting.result()
        assert server.ask(f"/product/{shown[0].pk}/")[0] == 200
    assert 0 < most <= 2
    kinds = Counter(answers)
    assert kinds.keys() <= {(200, ""), (503, "busy"), (503, "no_answer")}
    assert 0 < kinds[200, ""] <= 30
    assert kinds[503, "busy"] >= ASK - 30
