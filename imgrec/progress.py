"""A progress bar for people who wait: done, rate, and an honest time left."""

from __future__ import annotations

import time
from typing import TextIO

WIDTH = 30
REDRAW_SECONDS = 0.2
LINE_SECONDS = 10.0


class Progress:
    """Draws ``done / total`` on a terminal; a line now and then where there is none."""

    def __init__(self, out: TextIO, label: str, total: int) -> None:
        self.out = out
        self.label = label
        self.total = total
        self.started_at = time.monotonic()
        self.terminal = out.isatty()
        self._next_at = 0.0

    def show(self, done: int, *, last: bool = False) -> None:
        """Draw, unless it was drawn a moment ago."""
        now = time.monotonic()
        if not last and now < self._next_at:
            return
        self._next_at = now + (REDRAW_SECONDS if self.terminal else LINE_SECONDS)
        line = self.line(done, now - self.started_at)
        self.out.write(f"\r{line}\x1b[K" if self.terminal else f"{line}\n")
        if last and self.terminal:
            self.out.write("\n")
        self.out.flush()

    def line(self, done: int, seconds: float) -> str:
        """Return the line for ``done`` after so many seconds."""
        share = done / self.total if self.total else 1.0
        bar = ("█" * round(share * WIDTH)).ljust(WIDTH, "·")
        rate = done / seconds if seconds > 0 else 0.0
        left = f", {clock((self.total - done) / rate)} left" if 0 < done < self.total else ""
        return f"{self.label} {bar} {done}/{self.total} {rate:.1f}/s{left}"


def clock(seconds: float) -> str:
    """Return a duration as people say it: ``"8 s"``, ``"3:05 min"``, ``"2:10 h"``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d} h"
