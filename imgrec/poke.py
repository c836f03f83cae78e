"""Tells a worker that there is work, without ever making the caller wait.

The web process is the host's: the options of its queue stay as they are, and a broker that
refuses, freezes or is gone must not slow a save. So a thread of our own sends the message,
over a connection of its own with short time-outs, and merges what comes in meanwhile.
Whatever it cannot send, the workers' own ticks and sweeps find.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading

from django.db import connections

from imgrec import shells
from imgrec.conf import settings

logger = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 10.0


class Poker:
    """A thread that sends names of chores to the queue, each at most once at a time."""

    def __init__(self) -> None:
        self._waiting: set[str] = set()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._sending = False

    def poke(self, task: str) -> None:
        """Have ``task`` sent soon. Returns at once, raises nothing."""
        with self._condition:
            self._waiting.add(task)
            if self._thread is None or not self._thread.is_alive():
                self._start()
            self._condition.notify_all()

    def flush(self, seconds: float) -> None:
        """Wait until all is sent, but no longer than this; for a process about to end."""
        with self._condition:
            self._condition.wait_for(lambda: not (self._waiting or self._sending), seconds)

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="imgrec-poke", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no threads here, or the interpreter is ending: the sweep does it
            logger.debug("imgrec: no thread for pokes, workers will find the work")
            return
        self._thread = thread

    def _run(self) -> None:
        wait = FIRST_WAIT_SECONDS
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._waiting)
                tasks, self._waiting, self._sending = self._waiting, set(), True
            sent = _send(tasks)
            with self._condition:
                self._sending = False
                if sent:
                    wait = FIRST_WAIT_SECONDS
                    self._condition.notify_all()
                    continue
                self._waiting |= tasks
            threading.Event().wait(wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)


def _send(tasks: set[str]) -> bool:
    """Send the messages; return False to try again later."""
    try:
        shells.send(tasks)
    except Exception as error:  # noqa: BLE001 - whatever the driver raises is the same to us
        logger.warning("imgrec: could not reach the queue, trying again: %s", error)
        return False
    finally:
        connections.close_all()  # this thread's, of a queue in the database
    return True


_poker = Poker()


def _after_fork() -> None:
    global _poker
    _poker = Poker()  # threads do not survive a fork, and the old lock may be held


os.register_at_fork(after_in_child=_after_fork)
atexit.register(lambda: _poker.flush(settings.broker_timeout_seconds))


def poke(task: str = "imgrec.embed_pending") -> None:
    """Tell a worker, soon and without waiting."""
    _poker.poke(task)
