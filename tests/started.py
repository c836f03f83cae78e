"""A whole shop as its reader starts it: one command, ended as Ctrl-C ends it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from demo_shop.services import end_with_us
from tests.worker import ROOT

POLL_SECONDS = 0.1


class StartedShop:
    """A running shop; ``said`` is the match of ``opened`` in what it said when it was open."""

    opened: ClassVar[re.Pattern[str]]
    ready_seconds: ClassVar[int]
    stop_seconds: ClassVar[int]

    def __init__(self, command: Sequence[str], log: Path, **environment: str) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*end_with_us("TERM"), *command],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.said = self._wait_until_open()

    def stop(self) -> int:
        """Interrupt it; return its exit status."""
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def log(self) -> str:
        """Return everything it has said."""
        return self._log.read_text(errors="replace")

    def _wait_until_open(self) -> re.Match[str]:
        deadline = time.monotonic() + self.ready_seconds
        while not (said := self.opened.search(self.log())):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.terminate()
                raise RuntimeError(f"the shop did not open:\n{self.log()}")
            time.sleep(POLL_SECONDS)
        return said
