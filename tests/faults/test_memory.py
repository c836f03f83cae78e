"""A worker that has seen thousands of pictures takes no more memory than one that has seen some.

The grid of colours has whole pictures in hand, where real encoders have small arrays. Where its
process asks for them the C library leaves holes, more of them with each thread and size: it is
told to give each picture back, so that a few rounds show what is kept, and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from imgrec import jobs
from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition
from tests.celery import app
from tests.faults import demo_products
from tests.faults.mixed import awkward, mixed
from tests.faults.seeding import SEED
from tests.queueing import queue
from tests.testapp.models import Product
from tests.waiting import wait_until
from tests.worker import ROOT, Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# So many products, whose photos all are others in each round: lists take as much in the first
# round as in the last.
PRODUCTS = 100
WARM_UP = 0.4
MOST_GROWTH = 1.1
ROUND_SECONDS = 120
WITHOUT_HOLES = {"MALLOC_MMAP_THRESHOLD_": "131072"}
DATA = Path(os.environ.get("IMGREC_TEST_DATA") or ROOT.parent / "shared" / "data")


@pytest.fixture
def start(environment: Callable[..., dict[str, str]], tmp_path: Path) -> Iterator[Any]:
    """A function that starts a worker of one process, with more in its environment.

    ``mutant``: a name in ``mutants.py``.
    """
    workers: list[Worker] = []

    def start(*, mutant: str = "", **more: str) -> Worker:
        world = environment() | {"IMGREC_FAULTS_MUTANT": mutant} | more
        world["IMGREC_FAULTS_CONTROLS"] = str(tmp_path / "controls")
        kind = "tests.faults.celery" if mutant else "tests.celery"
        workers.append(Worker(world, log=tmp_path / "worker.log", concurrency=1, app=kind))
        return workers[-1]

    yield start
    for worker in workers:
        worker.stop()


class Rounds:
    """The same products with other photos, again and again; what a worker's process takes then."""

    def __init__(self, space: SpaceDefinition, products: list[Any], worker: Worker) -> None:
        self.space, self.products, self.worker = space, products, worker
        self.also = awkward(DATA)
        self.taken: list[int] = []

    def play(self, pictures: int) -> None:
        for number in range(0, pictures, len(self.products)):
            self._replace_all(number)
            app.send_task("imgrec.embed_pending", queue="imgrec", ignore_result=True)
            left = jobs.open_jobs(self.space)
            assert wait_until(lambda left=left: not left.exists(), ROUND_SECONDS), self.worker.log()
            (process,) = self.worker.children()
            self.taken.append(psutil.Process(process).memory_info().rss)

    def _replace_all(self, first: int) -> None:
        for number, product in enumerate(self.products, first):
            file = ContentFile(mixed(SEED, number, also=self.also))
            product.photo = default_storage.save(f"{number}.jpg", file)
        type(self.products[0]).objects.bulk_update(self.products, ["photo"])
        queue(self.space, [each.pk for each in self.products])

    def growth(self) -> float:
        """Return how many times as much it takes after the last round as after the warm-up."""
        warm = self.taken[round(len(self.taken) * WARM_UP) - 1]
        print(f"IMGREC_FAULTS_SEED={SEED}:", *(f"{each / 2**20:.0f}" for each in self.taken), "MiB")
        return self.taken[-1] / warm


def both_kinds_were_met(space: SpaceDefinition) -> bool:
    return min(space.embedding_model.objects.count(), EmbeddingJob.objects.count()) > PRODUCTS / 20


def test_memory_over_mixed_pictures(space: SpaceDefinition, start: Callable[..., Worker]) -> None:
    products = Product.objects.bulk_create(Product() for _ in range(PRODUCTS))
    rounds = Rounds(space, products, start(**WITHOUT_HOLES))
    rounds.play(500)
    assert rounds.growth() <= MOST_GROWTH
    assert both_kinds_were_met(space)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_memory_with_a_real_encoder(start: Callable[..., Worker]) -> None:
    pytest.importorskip("torch")
    space = demo_products.lite_space()
    products = [demo_products.make(number) for number in range(PRODUCTS)]
    rounds = Rounds(space, products, start())
    rounds.play(5_000)
    assert rounds.growth() <= MOST_GROWTH
    assert both_kinds_were_met(space)


@pytest.mark.full
def test_a_leak_is_noticed(space: SpaceDefinition, start: Callable[..., Worker]) -> None:
    products = Product.objects.bulk_create(Product() for _ in range(PRODUCTS))
    rounds = Rounds(space, products, start(mutant="a leak", **WITHOUT_HOLES))
    rounds.play(500)
    assert rounds.growth() > MOST_GROWTH
