"""Workers with a real torch encoder, started and stopped again and again: none ever hangs.

torch that is touched before the fork can hang the children for ever: each of these has to load
the model, embed a photo and end by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.faults import demo_products
from tests.pictures import upload
from tests.waiting import wait_until
from tests.worker import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(3600)]

EMBEDDED_SECONDS = 60


@pytest.mark.parametrize("cycles", [5, pytest.param(50, marks=pytest.mark.full)])
def test_no_cycle_hangs(
    environment: Callable[..., dict[str, str]], tmp_path: Path, cycles: int
) -> None:
    pytest.importorskip("torch")
    space = demo_products.lite_space()
    for cycle in range(cycles):
        product = demo_products.make(cycle, upload(cycle / cycles))
        stored = space.embedding_model.objects.filter(owner=product)
        worker = Worker(environment(), log=tmp_path / f"{cycle}.log", concurrency=1)
        try:
            (child,) = worker.children()
            embedded = wait_until(stored.exists, EMBEDDED_SECONDS)
        finally:
            ended = worker.stop()
        assert embedded, f"cycle {cycle}: no vector\n{worker.log()}"
        assert ended, f"cycle {cycle}: it had to be killed\n{worker.log()}"
        assert not psutil.pid_exists(child), f"cycle {cycle}: its process lives on"
