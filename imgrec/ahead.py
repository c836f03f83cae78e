"""Threads that read and decode photos while others are embedded.

They live for a while of work only, start after the worker process forked, and never keep it
from ending: a storage that hangs holds up a thread and not the process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from django.db import connections

T = TypeVar("T")


class Pending(Generic[T]):
    """A piece of work, and sooner or later what came of it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work: Callable[[], T] | None = work
        self._done = threading.Event()
        self._found: Any = None
        self._error: BaseException | None = None
        self.done_at = 0.0

    def run(self) -> None:
        """Do the work; what it raises is for whoever asks for the result."""
        work, self._work = self._work, None
        try:
            self._found = work() if work else None
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._error = error
        self.done_at = time.monotonic()
        self._done.set()

    def wait(self, seconds: float) -> bool:
        """Return whether it is done, after so many seconds at the latest."""
        return self._done.wait(seconds)

    def result(self) -> T:
        """Return what the work returned, once it is done, or raise what it raised; ask once.

        An error holds the frames it came through, with half a picture in them. Held here, it
        would hold itself, and stay until Python happens to look for such circles.
        """
        error, self._error = self._error, None
        if error:
            try:
                raise error
            finally:
                del error
        found: T = self._found
        return found


class Readers:
    """So many threads; with none, work is done by whoever waits for it.

    Leaving by an exception drops the work not begun, and waits for none.
    """

    def __init__(self, count: int) -> None:
        self._queue: SimpleQueue[Pending[Any] | None] = SimpleQueue()
        self._closed = False
        self.is_stuck = False  # they may never come back
        self.count = count
        self._threads = [
            threading.Thread(target=self._loop, name=f"imgrec-reader-{number}", daemon=True)
            for number in range(count)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed = kind is not None or self.is_stuck
        for _thread in self._threads:
            self._queue.put(None)
        if not self._closed:
            for thread in self._threads:
                thread.join()

    def start(self, work: Callable[[], T]) -> Pending[T]:
        """Have the work done, in the order it is given; what it returns should be small."""
        pending = Pending(work)
        if self._threads:
            self._queue.put(pending)
        return pending

    def wait(self, pending: Pending[Any], seconds: float) -> bool:
        """Return whether it is done: after so many seconds where threads do it, else now."""
        if not self._threads:
            pending.run()
        return pending.wait(seconds)

    def _loop(self) -> None:
        while pending := self._queue.get():
            if self._closed:
                continue
            pending.run()
            # A storage may ask the database, and connections are a thread's own.
            connections.close_all()
