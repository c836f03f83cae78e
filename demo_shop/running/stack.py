"""Everything the demo runs, started in order and stopped in the opposite one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from demo_shop.running import commands, ports
from demo_shop.running.child import Child
from demo_shop.running.errors import DemoError
from demo_shop.running.folder import DataFolder
from demo_shop.services import Postgres, Redis, ServiceError, end_with_us

Say = Callable[[str], None]
INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


class Stack:
    """``with Stack(folder, port=8000, say=print) as stack:`` and all of it runs.

    Only processes started here are ever stopped.
    """

    def __init__(self, folder: DataFolder, *, port: int, say: Say, check: bool = False) -> None:
        self.folder = folder
        self.port = port
        self.say = say
        self.check = check
        self.worker_restarts = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack:
            try:
                self._start_servers()
            except ServiceError as error:
                raise DemoError(str(error)) from error
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.say("Stopping ...")
        # A second Ctrl-C must not leave half of it running; each stop has its own time limit.
        before = {number: signal.signal(number, signal.SIG_IGN) for number in INTERRUPTS}
        try:
            self._stack.close()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @property
    def address(self) -> str:
        return f"http://{commands.HOST}:{self.port}"

    def _start_servers(self) -> None:
        self.say("Starting PostgreSQL and Redis ...")
        self.postgres = self._stack.enter_context(Postgres(self.folder.path, database="demo_shop"))
        self.redis = self._stack.enter_context(Redis(self.folder.path))
        self.worker = self._child("worker", commands.worker())
        self.web = self._child("web", commands.web(self.port))

    def _child(self, name: str, command: list[str]) -> Child:
        log = self.folder.log(name)
        return Child(name, command, environment=self.environment(), log=log)

    def environment(self) -> dict[str, str]:
        """What tells a child where the servers and the data are."""
        settings = {
            "DJANGO_SETTINGS_MODULE": "demo_shop.settings",
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "DEMO_DATA": str(self.folder.path),
            "DEMO_CHECK": "1" if self.check else "",
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **settings}

    def manage(self, *arguments: str) -> int:
        """Run one of Django's commands to its end; what it says goes to stderr."""
        return subprocess.run(
            [*end_with_us("TERM"), *commands.manage(*arguments)],
            env=self.environment(),
            stdout=sys.stderr,
            start_new_session=True,  # Ctrl-C is for the demo, which ends this one without a trace
            check=False,
        ).returncode

    def start_shop(self) -> None:
        """Start worker and web server; returns when the shop answers. Raises DemoError."""
        for child in (self.worker, self.web):
            self._stack.callback(child.stop)
            child.start()
        if not ports.wait_for(lambda: ports.answers(self.port), while_true=self.web.is_running):
            raise DemoError(f"The web server did not start:\n{self.web.last_words()}")

    def keep_alive(self) -> None:
        """Start a worker that has gone again. Raises DemoError when the web server is gone."""
        if not self.web.is_running():
            raise DemoError(f"The web server has ended:\n{self.web.last_words()}")
        if not self.worker.is_running():
            self.worker_restarts += 1
            self.say(f"The worker has ended; starting another. Its log: {self.worker.log}")
            self.worker.kill()  # its pool may have outlived it
            self.worker.start()
