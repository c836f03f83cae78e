"""What somebody who watches work has seen so far: from it come the rate and a standstill.

Finished jobs leave no trace in the database, and a page keeps no state on the server. So each
answer carries what the next question must remember.
"""

from __future__ import annotations

from dataclasses import dataclass

# Photos wait and none was finished for this long: there may be no worker.
SILENT_SECONDS = 30
# A rate over less than this says little.
SETTLED_SECONDS = 5


@dataclass(frozen=True)
class Watch:
    """Moments are seconds by the database's clock; ``str()`` and :meth:`parse` carry it in a URL.

    ``opened_at``, ``opened_done``: when the watching began, and what was done by then.
    ``waiting``, ``moved_at``: how many waited last, and since when it has been that many.
    """

    opened_at: float
    opened_done: int
    waiting: int
    moved_at: float

    def __str__(self) -> str:
        return f"{self.opened_at:.3f}:{self.opened_done}:{self.waiting}:{self.moved_at:.3f}"

    @classmethod
    def parse(cls, text: str) -> Watch | None:
        """Return the watch a page was handed, or None for anything else."""
        try:
            opened_at, done, waiting, moved_at = text.split(":")
            return cls(float(opened_at), int(done), int(waiting), float(moved_at))
        except ValueError:
            return None

    def rate(self, now: float, done: int) -> float | None:
        """Return how many are done per second while watched, or None when it is too early."""
        seconds = now - self.opened_at
        if seconds < SETTLED_SECONDS or done <= self.opened_done:
            return None
        return (done - self.opened_done) / seconds


def look(watch: Watch | None, *, now: float, done: int, waiting: int) -> Watch:
    """Return the watch after another look."""
    if watch is None:
        return Watch(now, done, waiting, now)
    moved_at = watch.moved_at if watch.waiting == waiting else now
    return Watch(watch.opened_at, watch.opened_done, waiting, moved_at)


def is_silent(since: float, now: float) -> bool:
    """Return whether nothing moved for so long that there may be no worker."""
    return now - since >= SILENT_SECONDS
