"""Files broken at random: each one is read or refused with a reason, and no process dies of it."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from imgrec import similar_to_photo
from imgrec.errors import PictureError
from imgrec.models import EmbeddingJob
from imgrec.reasons import Reason
from imgrec.spaces import space_by_label
from tests.brute_force import differences
from tests.faults.mutations import broken
from tests.testapp.models import Product
from tests.worker import ROOT, Worker

SEED = int(os.environ.get("IMGREC_FAULTS_SEED") or 5)
PROCESSES = 2
MOST_SECONDS = 0.5
# What a file of a few thousand bytes may become: nothing here is missing, or too large a file.
TYPED = {"read", *Reason.values} - {"file_missing", "storage_error", "file_too_large"}


class Reader:
    """A process that reads so many broken files, and tells what became of them."""

    def __init__(self, first: int, count: int, at: Path) -> None:
        self._at = at
        command = [sys.executable, "-m", "tests.faults.mutations"]
        command += [str(SEED), str(first), str(count), str(at)]
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def outcome(self) -> tuple[Counter[str], list[object], tuple[float, int]]:
        """Wait for the end: what became of how many, what was raised, and the slowest."""
        out, told = self._process.communicate()
        number = struct.unpack("<q", self._at.read_bytes())[0] if self._at.exists() else -1
        assert self._process.returncode == 0, f"died of file {number} of seed {SEED}\n{told}"
        found = json.loads(out)
        return Counter(found["outcomes"]), found["raised"], tuple(found["slowest"])


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("count", [10_000, pytest.param(200_000, marks=pytest.mark.full)])
def test_every_broken_file_is_read_or_refused(count: int, tmp_path: Path) -> None:
    share = count // PROCESSES
    readers = [Reader(i * share, share, tmp_path / f"{i}") for i in range(PROCESSES)]
    outcomes: Counter[str] = Counter()
    for reader in readers:
        found, raised, slowest = reader.outcome()
        assert raised == [], f"seed {SEED}"
        assert slowest[0] <= MOST_SECONDS, f"file {slowest[1]} of seed {SEED}"
        outcomes += found
    print(f"seed {SEED}: {dict(outcomes)}")
    assert outcomes.total() == count
    assert outcomes.keys() <= TYPED
    assert min(outcomes["read"], outcomes["damaged"]) > count / 10, "both are met often"


def _settled(products: int) -> bool:
    space = space_by_label("testapp.product.embedding")
    assert space is not None
    waiting = EmbeddingJob.objects.exclude(state="failed").exists()
    ended = space.embedding_model.objects.count() + EmbeddingJob.objects.count()
    return not waiting and ended == products


def _wait(seconds: float, done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.1)
    return done()


@pytest.fixture
def unharmed(settings: Settings, start_worker: Callable[..., Worker]) -> Iterator[Worker]:
    """A worker that at the end has the same processes as at the beginning."""
    settings.IMGREC = {**settings.IMGREC, "photo_per_minute": 0}
    worker = start_worker()
    pids = sorted(worker.children())
    yield worker
    assert worker.is_running()
    assert sorted(worker.children()) == pids
    assert "Traceback" not in worker.log()


@pytest.mark.timeout(1800)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [300, pytest.param(5_000, marks=pytest.mark.full)])
def test_a_worker_survives_broken_photos_of_products(count: int, unharmed: Worker) -> None:
    for number in range(count):
        Product.objects.create(photo=ContentFile(broken(SEED, number), name="photo.jpg"))
    assert _wait(60 + count / 20, lambda: _settled(count)), unharmed.log()[-3000:]
    failed = EmbeddingJob.objects.values_list("reason", flat=True)
    assert set(failed) <= TYPED
    assert 0 < len(failed) < count
    space = space_by_label("testapp.product.embedding")
    assert space is not None
    assert differences(space) == []


@pytest.mark.timeout(1800)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [150, pytest.param(3_000, marks=pytest.mark.full)])
def test_a_worker_survives_broken_photos_of_shoppers(count: int, unharmed: Worker) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(count):
        photo = SimpleUploadedFile("mine.jpg", broken(SEED + 1, number))
        try:
            similar_to_photo(photo, model=Product)
            outcomes["read"] += 1
        except PictureError as error:
            outcomes[error.code.value] += 1
    assert outcomes.keys() <= TYPED
    assert outcomes["read"]
    assert outcomes["damaged"]
