"""Celery shells round the chores, and a worker's own clock (beat is optional)."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from billiard import current_process
from celery import bootsteps, current_app, shared_task
from celery.signals import celeryd_init, worker_process_init

from imgrec import chores, watchdog
from imgrec.conf import settings

logger = logging.getLogger(__name__)

# Limits of our own: the host's may be shorter than building all lists takes, and without any a
# task that hangs would keep its process for ever.
OPTIONS: dict[str, Any] = {"ignore_result": True, "soft_time_limit": 3540, "time_limit": 3600}


@shared_task(name="imgrec.embed_pending", **OPTIONS)
def embed_pending() -> None:
    """Embed what waits."""
    chores.embed_pending(_send)


@shared_task(name="imgrec.sweep", **OPTIONS)
def sweep_all() -> None:
    """Find what no signal told us, and have it done."""
    chores.sweep_all(_send)


@shared_task(name="imgrec.find_duplicates", **OPTIONS)
def find_duplicates() -> None:
    """Find products with the same photo, for a while."""
    chores.find_duplicates(_send)


@shared_task(name="imgrec.answer_photos", **OPTIONS)
def answer_photos() -> None:
    """Embed the photos shoppers wait for."""
    chores.answer_photos(_send)


@shared_task(name="imgrec.make_maps", **OPTIONS)
def make_maps() -> None:
    """Make the maps of catalogues that merchants asked for."""
    chores.make_maps(_send)


def _send(name: str, **options: Any) -> None:
    current_app.send_task(name, queue=settings.queue, ignore_result=True, **options)


class Clock(bootsteps.StartStopStep):
    """Sends our tasks now and then from a worker that consumes our queue.

    In the worker's own event loop: a thread beside it could hold a lock when the pool forks.
    Started anew after each reconnection, so work waiting for Redis goes on at once.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        self.entries: list[Any] = []
        super().__init__(parent, **kwargs)

    def start(self, parent: Any) -> None:
        """Ring at once and then regularly."""
        if settings.queue not in parent.app.amqp.queues.consume_from:
            return
        for name, seconds in (
            ("imgrec.embed_pending", settings.tick_seconds),
            ("imgrec.sweep", settings.sweep_seconds),
        ):
            if seconds:
                ring = partial(self.ring, name, seconds)
                parent.timer.call_after(0.5, ring)
                self.entries.append(parent.timer.call_repeatedly(seconds, ring))

    def stop(self, parent: Any) -> None:
        """Stop ringing."""
        for entry in self.entries:
            entry.cancel()
        self.entries = []

    def ring(self, name: str, seconds: float) -> None:
        """Send a message that is worthless when the next one is due."""
        try:
            _send(name, expires=seconds, retry=False)
        except Exception as error:  # noqa: BLE001 - the broker's troubles are the consumer's
            logger.warning("imgrec: %s not sent: %s", name, error)


@celeryd_init.connect(dispatch_uid="imgrec.clock")
def _add_clock(instance: Any, **kwargs: Any) -> None:
    instance.app.steps["consumer"].add(Clock)


@worker_process_init.connect(dispatch_uid="imgrec.watchdog")
def _watch(**kwargs: Any) -> None:
    if current_process().name != "MainProcess":  # -P solo has no other process, and keeps its own
        watchdog.enable()
