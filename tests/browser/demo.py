"""The demo as a shopkeeper starts it: ``manage.py demo``, ended as Ctrl-C ends it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from demo_shop.services import end_with_us, free_port
from tests.browser.wares import Wares
from tests.worker import ROOT

READY_SECONDS = 240
STOP_SECONDS = 30
ADMIN = re.compile(r"Admin +(\S+) +(\S+) / (\S+)")


class Demo:
    """A running shop; ``address``, ``name`` and ``password`` are those it printed."""

    def __init__(self, folder: Path, wares: Wares) -> None:
        self.wares = wares
        self.media = folder / "media"
        self.session: Any = None  # cookies of the merchant, once logged in
        self._log = folder.with_suffix(".log")
        command = [sys.executable, "manage.py", "demo", "--port", str(free_port())]
        command += ["--data", str(folder), "--photos", str(wares.manifest())]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [*end_with_us("TERM"), *command],
                cwd=ROOT,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "demo_shop.settings"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        said = self._wait_until_open()
        self.address = said[1].removesuffix("/admin/")
        self.name, self.password = said[2], said[3]

    def stop(self) -> int:
        """Interrupt it; return its exit status."""
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def log(self) -> str:
        """Return everything it has said."""
        return self._log.read_text(errors="replace")

    def _wait_until_open(self) -> re.Match[str]:
        deadline = time.monotonic() + READY_SECONDS
        while not (said := ADMIN.search(self.log())):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.terminate()
                raise RuntimeError(f"the demo did not open:\n{self.log()}")
            time.sleep(0.1)
        return said
