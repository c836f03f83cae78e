"""One line of progress that rewrites itself on a terminal and stays silent elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import IO, Any, Self

WIDTH = 30


class Bar:
    """``with Bar("Products", sys.stderr) as bar: bar.show(3, 200)``"""

    def __init__(self, name: str, stream: IO[str] | Any) -> None:
        self._name = name
        self._stream = stream
        self._started = time.monotonic()
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shown:
            self._write("\n")

    def show(self, done: int, total: int) -> None:
        """Tell how far things are: share, rate and time left."""
        if not self._stream.isatty() or (done % 5 and done != total):
            return
        seconds = max(time.monotonic() - self._started, 0.001)
        filled = "#" * (WIDTH * done // total)
        left = seconds / done * (total - done)
        rate = f"{done / seconds:.0f}/s, {left:.0f} s left"
        self._write(f"\r{self._name} [{filled:<{WIDTH}}] {done}/{total}  {rate}   ")
        self._shown = True

    def _write(self, text: str) -> None:
        stream = getattr(self._stream, "_out", self._stream)  # Django's wrapper ends each line
        stream.write(text)
        stream.flush()
