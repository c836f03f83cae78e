"""What somebody who reaches the broker could send: nothing of it runs, and work goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection, Exchange, Producer, Queue
from pytest_django import Settings

from imgrec.photo_queries import QUEUE
from imgrec.spaces import space_by_label
from tests.integration.test_workers import all_ready
from tests.pictures import upload
from tests.testapp.models import Product
from tests.waiting import wait_until
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)
HEADERS = {"lang": "py", "task": "imgrec.embed_pending", "id": "1", "root_id": "1"}


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.fixture
def send(settings: Settings) -> Callable[..., None]:
    """A function that puts a message onto our queue, as any client of the broker can."""

    def publish(body: Any, **options: Any) -> None:
        with Connection(settings.CELERY_BROKER_URL) as connection:
            queue = Queue("imgrec", Exchange("imgrec"), routing_key="imgrec")
            producer = Producer(connection, exchange=queue.exchange, routing_key="imgrec")
            producer.publish(body, declare=[queue], headers=HEADERS, **options)

    return publish


def test_pickles_are_refused_and_work_goes_on(
    celery_worker: Worker, send: Callable[..., None], tmp_path: Path
) -> None:
    space = space_by_label("testapp.product.embedding")
    assert space is not None
    evil = Evil(tmp_path / "touched")
    send([[evil], {}, {}], serializer="pickle")
    send([[], {"evil": evil}, {}], serializer="pickle", compression="gzip")
    assert wait_until(lambda: celery_worker.log().count("ContentDisallowed") >= 2, 20)
    Product.objects.create(photo=upload(0.3))
    assert wait_until(lambda: all_ready(space), 30)
    assert not (tmp_path / "touched").exists()
    assert celery_worker.is_running()


@pytest.mark.parametrize(
    "body",
    [
        [["unasked"], {"for": 1}, {}],
        [[], {}, {"chain": [{"task": "os.system", "args": ["true"]}]}],
    ],
    ids=str,
)
def test_nonsense_is_no_end_of_a_worker(
    celery_worker: Worker, send: Callable[..., None], body: Any
) -> None:
    space = space_by_label("testapp.product.embedding")
    assert space is not None
    send(body, serializer="json")
    Product.objects.create(photo=upload(0.4))
    assert wait_until(lambda: all_ready(space), 30)
    assert celery_worker.is_running()


def test_photos_nobody_asked_for_are_passed_over(celery_worker: Worker, settings: Settings) -> None:
    """Tokens without a photo, of no space, or not even text: the queue is worked off."""
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.set("imgrec:photo:mine", b"no picture", ex=30)
        client.lpush(QUEUE, "token-alone", "mine no.such.space", "gone testapp.product.embedding")
        celery_worker_does(client)
        answer = client.lpop("imgrec:answer:mine")
    assert json.loads(answer)["error"] == "embedder_failed"
    assert celery_worker.is_running()


def celery_worker_does(client: Any) -> None:
    assert wait_until(lambda: not client.llen(QUEUE) and client.exists("imgrec:answer:mine"), 30)
