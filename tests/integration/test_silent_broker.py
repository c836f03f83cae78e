"""A broker that takes connections and says nothing keeps nobody waiting."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from celery import Celery
from pytest_django import Settings

from imgrec import celery_post, doctor


@pytest.fixture
def silent_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The broker of the doctor's Celery app, frozen."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        frozen = Celery("frozen", set_as_current=False)
        frozen.conf.broker_url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        monkeypatch.setattr(celery_post, "current_app", frozen)
        yield


@pytest.mark.timeout(20)
def test_the_doctor_does_not_wait_for_it(silent_broker: None, settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "broker_timeout_seconds": 0.5}
    started_at = time.monotonic()
    assert doctor.consumed_queues() == set()
    assert time.monotonic() - started_at < 8
