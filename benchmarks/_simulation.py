"""A small discrete-event simulation: processes that wait, use cores, and hold locks.

A process is a generator of steps::

    def worker():
        yield database.use(0.2)
        yield clock.wait(1.5)

    clock = Clock(); database = Cores(clock, 8)
    clock.start(worker()); clock.run()
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

Resume = Callable[[], None]
Step = Callable[[Resume], None]

# How long a core stays with one of several that want it, as operating systems have it.
SLICE_SECONDS = 0.005


class Clock:
    """Simulated time, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Resume]] = []
        self._count = 0

    def start(self, process: Iterator[Step]) -> None:
        """Have a process take its first step now."""

        def resume() -> None:
            step = next(process, None)
            if step is not None:
                step(resume)

        self.at(self.now, resume)

    def at(self, time: float, resume: Resume) -> None:
        """Call back at that time; what is due at the same time comes in the order of asking."""
        self._count += 1
        heapq.heappush(self._events, (time, self._count, resume))

    def wait(self, seconds: float) -> Step:
        """Return a step that takes so long and nobody else's time."""
        return lambda resume: self.at(self.now + seconds, resume)

    def run(self, until: float = float("inf")) -> None:
        """Let events happen until there are none, or until a time."""
        while self._events and self._events[0][0] <= until:
            self.now, _count, resume = heapq.heappop(self._events)
            resume()
        if self._events:
            self.now = until


class Cores:
    """Some cores that share what is asked of them in slices; ``busy`` is in core-seconds."""

    def __init__(self, clock: Clock, count: int) -> None:
        self.clock = clock
        self.count = self.free = count
        self.busy = 0.0
        self._waiting: deque[tuple[float, Resume]] = deque()

    def use(self, seconds: float) -> Step:
        """Return a step that takes so much of a core."""
        return lambda resume: self._ask(seconds, resume)

    @property
    def load(self) -> float:
        """Share of the cores' time that was used so far."""
        return self.busy / (self.count * self.clock.now) if self.clock.now else 0.0

    def _ask(self, seconds: float, resume: Resume) -> None:
        self._waiting.append((seconds, resume))
        self._serve()

    def _serve(self) -> None:
        while self.free and self._waiting:
            seconds, resume = self._waiting.popleft()
            part = min(seconds, SLICE_SECONDS)
            self.free -= 1
            self.busy += part
            self.clock.at(self.clock.now + part, partial(self._served, seconds - part, resume))

    def _served(self, left: float, resume: Resume) -> None:
        self.free += 1
        if left > 0:
            self._waiting.append((left, resume))
        else:
            resume()
        self._serve()
