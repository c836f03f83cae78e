"""Django's own tasks instead of Celery: who does what when, and that nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from imgrec import chores, indexing, poke, shells, similar_products
from imgrec.models import EmbeddingJob
from imgrec.shell_checks import check_shell
from imgrec.spaces import space_by_label
from tests.pictures import upload
from tests.testapp.models import Product
from tests.waiting import wait_until
from tests.worker import ROOT

pytest.importorskip("django_tasks_db", reason="the extra test has django-tasks-db")

pytestmark = pytest.mark.django_db(transaction=True)
IMMEDIATE = f"{shells.framework().__name__}.backends.immediate.ImmediateBackend"
AT_ONCE = {"BACKEND": IMMEDIATE, "QUEUES": ["imgrec"]}


@pytest.fixture(autouse=True)
def _by_django(settings: Any) -> Iterator[None]:
    """Use the framework; at the end nothing is on its way any more."""
    settings.IMGREC = {**settings.IMGREC, "tasks": "django"}
    yield
    poke._poker.flush(20)


@pytest.fixture
def start(environment: Callable[..., dict[str, str]], tmp_path: Path) -> Iterator[Any]:
    """A function that starts a worker of the queue in the database."""
    started: list[subprocess.Popen[bytes]] = []

    def start_worker(**imgrec: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "django", "db_worker", "--queue-name", "imgrec"]
        with (tmp_path / "db_worker.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "--interval", "0.1", "--no-startup-delay"],
                cwd=ROOT,
                env=environment(tasks="django", **imgrec),
                stdout=log,
                stderr=log,
            )
        started.append(process)
        return process

    yield start_worker
    for process in started:
        process.kill()
        process.wait()


def messages() -> Any:
    """Return the rows of the queue."""
    from django_tasks_db.models import DBTaskResult

    return DBTaskResult.objects.all()


def make(count: int) -> Product:
    """Save products; return the first one."""
    products = [Product.objects.create(photo=upload(i / count)) for i in range(count)]
    return products[0]


def done() -> bool:
    """Return whether all products have a vector and nothing is left to do."""
    return not EmbeddingJob.objects.exists() and _vectors() == Product.objects.count()


def _vectors() -> int:
    space = space_by_label("testapp.product.embedding")
    assert space is not None
    return space.embedding_model.objects.count()


def test_a_backend_that_runs_at_once_needs_no_worker(settings: Any) -> None:
    settings.TASKS = {"default": AT_ONCE}
    first = make(3)
    assert wait_until(done)
    assert similar_products(first, limit=2).way == "list"
    assert len(similar_products(first, limit=2)) == 2


def test_what_a_chore_asks_for_comes_after_it(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend that runs at once would go deeper and deeper: a crowd calls for help first."""
    from imgrec import django_tasks

    settings.TASKS = {"default": AT_ONCE}
    order: list[str] = []

    def ask(send: chores.Send) -> None:
        order.append("begins")
        send("second")
        order.append("ends")

    ours = {"first": ask, "second": lambda send: order.append("second")}
    monkeypatch.setattr(chores, "CHORES", ours)
    django_tasks.send("first")
    assert order == ["begins", "ends", "second"]


def test_a_saved_product_gets_its_list_from_a_worker(start: Any) -> None:
    start()
    first = make(5)
    assert wait_until(done)
    assert similar_products(first, limit=4).way == "list"
    assert messages().filter(queue_name="imgrec").exists()


def test_a_lost_message_loses_nothing(start: Any) -> None:
    make(3)
    poke._poker.flush(10)
    assert messages().exists()
    messages().delete()
    call_command("imgrec_sweep")
    start()
    assert wait_until(done)


def test_a_killed_worker_loses_nothing(start: Any) -> None:
    first = start(batch_size=4, lease_seconds=2)
    make(60)
    assert wait_until(lambda: EmbeddingJob.objects.filter(state="leased").exists() or done())
    os.kill(first.pid, signal.SIGKILL)
    start(batch_size=4, lease_seconds=2)

    def swept() -> bool:
        call_command("imgrec_sweep")
        return done()

    assert wait_until(swept)


def test_the_sweep_finds_what_no_signal_told(start: Any) -> None:
    make(1)
    indexing.work()
    Product.objects.bulk_create([Product(photo=Product.objects.get().photo.name)])
    start()
    call_command("imgrec_sweep")
    assert wait_until(done)


def test_shoppers_come_first() -> None:
    from imgrec import django_tasks

    django_tasks.send("imgrec.embed_pending")
    django_tasks.send("imgrec.answer_photos")
    first = messages().ready().first()
    assert first.args_kwargs["args"] == ["imgrec.answer_photos"]


@pytest.mark.parametrize(
    ("tasks", "found"),
    [
        ({"default": {**AT_ONCE, "QUEUES": ["other"]}}, ["imgrec.E014", "imgrec.W007"]),
        ({"default": {**AT_ONCE, "QUEUES": []}}, ["imgrec.W007"]),
        ({"default": AT_ONCE}, ["imgrec.W007"]),
        ({"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["imgrec"]}}, []),
    ],
)
def test_checks(settings: Any, tasks: Any, found: list[str]) -> None:
    settings.TASKS = tasks
    assert [each.id for each in check_shell()] == found
    settings.DEBUG = True
    assert [each.id for each in check_shell()] == [each for each in found if "W007" not in each]


def test_a_project_without_the_framework(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shells, "FRAMEWORKS", ("imgrec.nowhere",))
    (message,) = check_shell()
    assert message.id == "imgrec.E013"
