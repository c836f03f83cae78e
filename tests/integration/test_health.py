"""``imgrec_health`` and its address: progress, not only a process that runs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client

from imgrec import doctor, health, indexing, sweep, tallies
from imgrec.errors import WeightsUnavailable
from imgrec.models import EmbeddingJob, Space, Tally
from imgrec.testing import ColourGrid
from tests.pictures import upload
from tests.testapp.models import Product
from tests.worker import ROOT, Worker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_index")]
LABEL = "testapp.product.embedding"
WAIT_SECONDS = 60


@pytest.fixture
def worked(client: Client) -> Client:
    """A shop of three photos whose workers have done everything just now."""
    for number in range(3):
        Product.objects.create(photo=upload(number / 3))
    sweep.sweep()
    indexing.work()
    return client


def get(client: Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/imgrec/health/")
    return answer.status_code, answer.json()


def of_products(found: dict[str, Any]) -> dict[str, Any]:
    one: dict[str, Any] = next(each for each in found["spaces"] if each["label"] == LABEL)
    return one


def grow_old(seconds: float, *, what: list[str] | None = None) -> None:
    """Move what was counted, or queued, into the past."""
    ago = timedelta(seconds=seconds)
    if what is None:
        EmbeddingJob.objects.update(created_at=Now() - ago)
    else:
        Tally.objects.filter(what__in=what).update(counted_at=F("counted_at") - ago)


def ask(*args: str) -> str:
    out = StringIO()
    call_command("imgrec_health", *args, stdout=out)
    return out.getvalue()


def test_all_done_is_well(worked: Client) -> None:
    status, found = get(worked)
    assert (status, found["status"], found["problems"]) == (200, "ok", [])
    one = of_products(found)
    assert one["oldest_waiting_seconds"] is None
    assert one["last_progress_seconds"] < WAIT_SECONDS
    assert (one["done"]["embedded"], one["done"]["sweeps"]) == (3, 1)
    assert sum(one["jobs"].values()) == 0
    assert f"{LABEL}: nothing waits; progress" in ask()


def test_work_that_waits_and_does_not_move_is_stalled(worked: Client) -> None:
    Product.objects.create(photo=upload(0.9))
    grow_old(700)
    grow_old(650, what=["embedded", "listed"])
    status, found = get(worked)
    assert (status, found["status"]) == (503, "stalled")
    (problem,) = found["problems"]
    assert problem.startswith(f"{LABEL}: work has waited for 70")
    assert "none was done for 65" in problem
    with pytest.raises(CommandError, match="work has waited") as raised:
        ask("--json")
    assert raised.value.returncode == 1


def test_a_long_reindex_that_moves_is_well(worked: Client) -> None:
    Product.objects.create(photo=upload(0.9))
    grow_old(7000)
    status, found = get(worked)
    assert (status, of_products(found)["oldest_waiting_seconds"] >= 7000) == (200, True)


def test_what_is_in_the_way_is_named(worked: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: ColourGrid, pictures: Any) -> Any:
        raise WeightsUnavailable("no weights here")

    monkeypatch.setattr(ColourGrid, "embed", missing)
    Product.objects.create(photo=upload(0.9))
    indexing.work()
    grow_old(700)
    grow_old(650, what=["embedded", "listed"])
    _status, found = get(worked)
    assert found["problems"][0].endswith("(1 weights_unavailable)")


@pytest.mark.parametrize("never", [True, False])
def test_a_shop_whose_worker_is_gone_is_stalled_before_anything_waits(
    worked: Client, *, never: bool
) -> None:
    if never:
        Tally.objects.all().delete()
    else:
        grow_old(700, what=list(Tally.What.values))
    status, found = get(worked)
    assert status == 503
    assert len(found["problems"]) == len(found["spaces"])
    assert f"{LABEL}: no worker has looked around {'yet' if never else 'for 700'}" in (
        " ".join(found["problems"])
    )


def test_a_space_that_is_switched_off_may_rest(worked: Client) -> None:
    Product.objects.create(photo=upload(0.9))
    Space.objects.update(is_active=False)
    grow_old(700)
    grow_old(700, what=list(Tally.What.values))
    assert get(worked)[0] == 200
    assert "switched off" in ask()


def test_after_says_how_long_is_too_long(worked: Client, settings: Any) -> None:
    Product.objects.create(photo=upload(0.9))
    grow_old(100)
    grow_old(90, what=["embedded", "listed"])
    assert "1 queued" in ask()
    with pytest.raises(CommandError, match="work has waited for 100 s"):
        ask("--after", "60")
    settings.IMGREC = {**settings.IMGREC, "stalled_seconds": 60}
    assert get(worked)[0] == 503


def test_only_reading_is_allowed(client: Client) -> None:
    assert client.post("/imgrec/health/").status_code == 405
    assert "no-store" in client.get("/imgrec/health/")["Cache-Control"]


def test_failures_are_told_but_no_alarm(worked: Client) -> None:
    product = Product.objects.create(photo=upload(0.9))
    product.photo.storage.delete(product.photo.name)
    indexing.work()
    status, found = get(worked)
    assert (status, of_products(found)["failed_because"]) == (200, {"file_missing": 1})
    assert of_products(found)["done"]["failed"] == 1


def test_a_reindex_that_changes_nothing_counts_as_progress(worked: Client) -> None:
    call_command("imgrec_index", "testapp.Product", "--all", "--inline", stdout=StringIO())
    assert of_products(get(worked)[1])["done"]["unchanged"] == 3


def test_the_hosts_timeout_stays(worked: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '7s'")
        health.report()
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("7s",)


def test_counts_survive_a_database_that_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    space = health.all_spaces()[0]
    tallies.flush(at_once=True)
    tallies.add(space, tallies.What.FAILED, 2)
    with monkeypatch.context() as broken:
        broken.setattr(tallies, "_ADD", "SELECT 1/0")
        tallies.flush(at_once=True)
    tallies.add(space, tallies.What.FAILED, 1)
    tallies.flush(at_once=True)
    assert Tally.objects.get(space=space.label, what="failed").total == 3


@pytest.mark.django_db(transaction=True)
def test_a_database_that_does_not_answer_is_unknown_and_nobody_hangs(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE", "200ms")
    other: Any = connections["default"].copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE imgrec_embeddingjob")
            status, found = get(client)
            assert (status, found["status"], found["spaces"]) == (503, "unknown", [])
            with pytest.raises(CommandError, match="unknown: ") as raised:
                ask()
            assert raised.value.returncode == 2
            cursor.execute("ROLLBACK")
    finally:
        other.close()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_is_noticed_and_the_next_one_too(
    celery_worker: Worker,
    start_worker: Callable[..., Worker],
    environment: Callable[..., dict[str, str]],
) -> None:
    def status_of_command() -> int:
        command = [sys.executable, "-m", "django", "imgrec_health", "--json", "--after", "2"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(sweep_seconds=1), capture_output=True, text=True
        )
        assert json.loads(done.stdout)["spaces"]
        return done.returncode

    Product.objects.create(photo=upload(0.1))
    _wait(lambda: done("embedded") == 1)
    celery_worker.kill()
    Product.objects.create(photo=upload(0.5))
    _wait(lambda: status_of_command() == 1)
    start_worker(sweep_seconds=1)
    _wait(lambda: done("embedded") == 2 and status_of_command() == 0)


def done(what: str) -> int:
    return sum(Tally.objects.filter(space=LABEL, what=what).values_list("total", flat=True))


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, health.report()
        time.sleep(0.2)


def test_the_doctor_names_stalled_work_and_no_long_reindex(
    worked: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "consumed_queues", lambda: {"imgrec"})
    Product.objects.create(photo=upload(0.9))
    grow_old(700)
    assert not any("waited" in problem for problem in doctor.examine()["problems"])
    grow_old(650, what=["embedded", "listed"])
    assert any("work has waited for 70" in each for each in doctor.examine()["problems"])
