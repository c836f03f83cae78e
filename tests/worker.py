"""A real Celery worker process with a prefork pool, as a shop runs one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from demo_shop.services import end_with_us

ROOT = Path(__file__).parent.parent
READY_SECONDS = 30
STOP_SECONDS = 15


class Worker:
    """``celery -A tests.celery worker -Q imgrec -c 2``, started at once and ready on return."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        log: Path,
        concurrency: int = 2,
        queue: str = "imgrec",
        app: str = "tests.celery",
        level: str = "INFO",
    ) -> None:
        self._log = log
        command = [sys.executable, "-m", "celery", "-A", app, "worker"]
        command += ["-Q", queue, "-c", str(concurrency), "-l", level, "-n", f"{log.stem}@%h"]
        command += ["--without-mingle"]  # it asks other workers for a second, and there are none
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*end_with_us("KILL"), *command],
                cwd=ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._wait_until_ready()

    def log(self) -> str:
        """Return everything the worker has said."""
        return self._log.read_text(errors="replace")

    def children(self) -> list[int]:
        """Return the pids of the pool's processes."""
        return [child.pid for child in psutil.Process(self.pid).children()]

    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill the worker and its pool at once, in the middle of whatever they do."""
        if self.is_running():
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> bool:
        """Let the worker finish its tasks and end; kill it, and return False, when that is slow."""
        if self.is_running():
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
                return False
        return True

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while " ready." not in self.log():
            if not self.is_running() or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the worker did not get ready:\n{self.log()}")
            time.sleep(0.05)
