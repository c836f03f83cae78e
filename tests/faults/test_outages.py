"""Redis is gone for a while: saves go on, and what was saved is ready soon after it is back."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from demo_shop.services import Redis
from imgrec import states
from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition
from tests.brute_force import differences
from tests.faults.crew import Crew
from tests.pictures import upload
from tests.testapp.models import Product
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SAVES = 200
BACK_SECONDS = 30


def save(count: int, shade: float) -> None:
    for number in range(count):
        Product.objects.create(photo=upload(number / count, shade=shade))


def seconds_until_ready(space: SpaceDefinition, products: int, limit: float) -> float:
    """Wait for so many products, lists included; return how long that took."""

    def is_ready() -> bool:
        done = states.count_states(space)["ready"] == products
        return done and not EmbeddingJob.objects.exists()

    began = time.monotonic()
    assert wait_until(is_ready, limit), states.count_states(space)
    return time.monotonic() - began


@pytest.mark.parametrize(
    "outage",
    [
        pytest.param(5, id="5 seconds", marks=pytest.mark.timeout(240)),
        pytest.param(60, id="60 seconds", marks=[pytest.mark.full, pytest.mark.timeout(600)]),
    ],
)
def test_saves_without_redis_are_ready_soon_after_it_is_back(
    space: SpaceDefinition,
    start_crew: Callable[..., Crew],
    redis_server: Redis | None,
    outage: float,
) -> None:
    """The work itself is measured first, with Redis up; twice as long is granted."""
    if redis_server is None:
        pytest.skip("a Redis of somebody else's is not ours to kill")
    crew = start_crew(tick_seconds=10)
    save(SAVES, shade=0.0)
    work = seconds_until_ready(space, SAVES, 120)
    redis_server.kill()
    down_until = time.monotonic() + outage
    try:
        save(SAVES, shade=0.3)
        time.sleep(max(0.0, down_until - time.monotonic()))
    finally:
        redis_server.start()
    assert seconds_until_ready(space, 2 * SAVES, 120) <= BACK_SECONDS + 2 * work
    assert crew.worker.is_running()
    assert len(crew.workers) == 1
    assert differences(space) == []
