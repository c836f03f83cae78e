"""The workers of a campaign, and whoever starts them again: a service manager, in a shop."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import psutil

from tests.worker import Worker


class Crew:
    """One worker of two processes, which the test may kill and freeze."""

    def __init__(
        self, environment: dict[str, str], folder: Path, *, dice: random.Random | None = None
    ) -> None:
        self._environment = environment
        self._folder = folder
        self._dice = dice or random.Random(0)
        self._frozen: list[int] = []
        self.workers: list[Worker] = []
        self.ensure()

    @property
    def worker(self) -> Worker:
        """The one at work, or the last one."""
        return self.workers[-1]

    def ensure(self) -> None:
        """Start a worker where none is running."""
        if not self.workers or not self.worker.is_running():
            log = self._folder / f"worker{len(self.workers)}.log"
            self.workers.append(Worker(self._environment, log=log, app="tests.faults.celery"))

    def kill_child(self) -> str:
        """Kill a process of the pool at once; return what was done."""
        return self._signal_child(signal.SIGKILL)

    def kill_children(self) -> None:
        """Kill all processes of the pool at once."""
        for pid in self.worker.children():
            os.kill(pid, signal.SIGKILL)

    def freeze_child(self) -> str:
        """Stop a process of the pool, until :meth:`thaw`."""
        return self._signal_child(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let frozen processes go on."""
        for pid in self._frozen:
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGCONT)
        self._frozen = []

    def kill(self) -> None:
        """Kill the worker and its pool."""
        self.thaw()
        self.worker.kill()

    def stop(self) -> None:
        """End all of it at once."""
        self.thaw()
        for worker in self.workers:
            worker.kill()

    def said(self) -> str:
        """Return the ends of the workers' logs."""
        tails = ["\n".join(worker.log().splitlines()[-30:]) for worker in self.workers[-2:]]
        return "\n---\n".join(tails)

    def _signal_child(self, number: signal.Signals) -> str:
        children = self.worker.children() if self.worker.is_running() else []
        if not children:
            return "no process of the pool"
        pid = self._dice.choice(sorted(children))
        os.kill(pid, number)
        if number == signal.SIGSTOP:
            self._frozen.append(pid)
        return f"{number.name} to {pid} at {time.time():.2f}"
