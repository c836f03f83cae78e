"""Real workers, killed in the middle of their work: nothing is lost, nothing is done wrong."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from imgrec import sweep
from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.brute_force import differences
from tests.pictures import upload
from tests.testapp.models import Product
from tests.waiting import wait_until
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 120


@pytest.fixture
def space() -> SpaceDefinition:
    found = space_by_label("testapp.product.embedding")
    assert found is not None
    return found


def make(count: int = COUNT) -> None:
    for i in range(count):
        Product.objects.create(photo=upload(i / count, shade=(i % 7) / 20))


def all_ready(space: SpaceDefinition) -> bool:
    ready = space.embedding_model.objects.count() == Product.objects.count()
    return ready and not EmbeddingJob.objects.exists()


def some_started() -> bool:
    return EmbeddingJob.objects.filter(state__in=["leased", "lists"]).exists()


@pytest.mark.parametrize(
    "imgrec",
    [
        pytest.param({"lease_seconds": 2}, id="a short lease"),
        pytest.param({"tick_seconds": 10}, id="a shop's own settings", marks=pytest.mark.full),
    ],
)
def test_a_killed_worker_loses_nothing(
    space: SpaceDefinition, start_worker: Callable[..., Worker], imgrec: dict[str, int]
) -> None:
    first = start_worker(batch_size=8, **imgrec)
    make()
    assert wait_until(some_started) or all_ready(space)
    first.kill()
    in_hand = EmbeddingJob.objects.filter(space=space.label, state="leased").count()
    assert in_hand <= 2 * 8, "a batch a process"
    start_worker(batch_size=8, **imgrec)
    assert wait_until(lambda: all_ready(space))
    assert differences(space) == []


def test_a_killed_process_of_the_pool_loses_nothing(
    space: SpaceDefinition, start_worker: Callable[..., Worker]
) -> None:
    worker = start_worker(batch_size=8, lease_seconds=2)
    make()
    assert wait_until(some_started) or all_ready(space)
    os.kill(worker.children()[0], signal.SIGKILL)
    assert wait_until(lambda: all_ready(space))
    assert worker.is_running()
    assert differences(space) == []


def test_work_nobody_told_of_is_found_by_an_idle_worker(
    space: SpaceDefinition, start_worker: Callable[..., Worker]
) -> None:
    """No beat, no signal: the worker's own clock sweeps."""
    make(3)
    names = list(Product.objects.values_list("photo", flat=True))
    Product.objects.bulk_create([Product(photo=name) for name in names])
    EmbeddingJob.objects.all().delete()
    start_worker(sweep_seconds=1)
    assert wait_until(lambda: all_ready(space), seconds=20)
    assert sweep.sweep() == 0


def test_messages_delivered_twice_or_late_change_nothing(
    space: SpaceDefinition, celery_worker: Worker
) -> None:
    from imgrec.tasks import embed_pending

    make(10)
    for _ in range(5):
        embed_pending.apply_async(queue="imgrec")
    assert wait_until(lambda: all_ready(space))
    stamps = list(space.embedding_model.objects.values_list("pk", "embedded_at"))
    embed_pending.apply_async(queue="imgrec")
    time.sleep(1)
    assert list(space.embedding_model.objects.values_list("pk", "embedded_at")) == stamps
    assert celery_worker.is_running()
