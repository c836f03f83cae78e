"""A post office between the shop and its workers: messages come once, twice, late or never."""

from __future__ import annotations

import random
import threading
import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.faults.history import History

# Where the shop's messages go; no worker listens there.
SENT_TO = "imgrec.sent"
DELIVERED_TO = "imgrec"


def patient_for_a_second(url: str) -> redis.Redis:
    """Return a client that waits a second for an answer, and does not try again."""
    retry = Retry(NoBackoff(), 0)
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=retry)


class Post:
    """A thread that takes each message as Celery wrote it, and puts it where workers listen."""

    def __init__(self, url: str, dice: random.Random, history: History) -> None:
        self._redis = patient_for_a_second(url)
        self._dice = dice
        self._history = history
        self._late: list[tuple[float, bytes]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="post")
        self._thread.start()

    def close(self) -> None:
        """Deliver no more."""
        self._ended.set()
        self._thread.join()
        self._redis.close()

    def deliver(self, message: bytes, times: int = 1) -> None:
        """Put a message into the workers' queue."""
        for _ in range(times):
            self._redis.lpush(DELIVERED_TO, message)

    def _run(self) -> None:
        while not self._ended.wait(0.02):
            try:
                self._take_one()
                self._deliver_late_ones()
            except redis.RedisError:
                continue  # it is down: what was in it is lost, as it would be

    def _take_one(self) -> None:
        message = self._redis.rpop(SENT_TO)
        if not isinstance(message, bytes):
            return
        how = self._dice.choices(["once", "twice", "late", "never"], [5, 2, 2, 2])[0]
        self._history.note(f"    message delivered {how}")
        if how == "late":
            self._late.append((time.monotonic() + self._dice.uniform(0.5, 4), message))
        elif how != "never":
            self.deliver(message, 2 if how == "twice" else 1)

    def _deliver_late_ones(self) -> None:
        due = [each for each in self._late if each[0] <= time.monotonic()]
        for each in due:
            self._late.remove(each)
            self.deliver(each[1], 2)
