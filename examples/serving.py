"""A shop with everything it needs: PostgreSQL, Redis, a worker, a web server. Until Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

from demo_shop.running import ports
from demo_shop.running.child import Child
from demo_shop.running.errors import DemoError
from demo_shop.running.folder import DataFolder
from demo_shop.services import Postgres, Redis, end_with_us

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Example:
    """A shop in the folder ``here``, whose settings and Celery app are in the package ``project``.

    ``once_indexed``: commands to run when all photos have been queued.
    """

    here: Path
    project: str
    page: str
    admin: str
    account: str
    once_indexed: tuple[str, ...] = ()

    def serve(self, folder: Path, port: int) -> None:
        """Run the shop until it is interrupted. The folder keeps all it has. Raises DemoError."""
        if ports.is_taken(port):
            raise DemoError(f"Port {port} is taken. Choose another: --port {port + 1}")
        signal.signal(signal.SIGTERM, _end)
        data = DataFolder(folder)
        data.take()
        password = data.admin_password
        with ExitStack() as stack:
            postgres = stack.enter_context(Postgres(data.path, database=self.project))
            redis = stack.enter_context(Redis(data.path))
            environment = self._variables(postgres.url, redis.url, data.path)
            if failed := self._manage(environment, "prepare"):
                raise SystemExit(failed)
            web = self._start(stack, environment, data, port)
            if self._manage(environment, "imgrec_index", "--missing"):
                print(f"Some photos wait still, or failed: see {data.log('worker')}.", flush=True)
            for command in self.once_indexed:
                self._manage(environment, command)
            is_open = partial(ports.answers, port, self.page)
            if not ports.wait_for(is_open, while_true=web.is_running):
                raise SystemExit(f"No page from the web server:\n{web.last_words()}")
            print(f"Shop http://127.0.0.1:{port}{self.page}  {self.admin}", flush=True)
            print(f"Account {self.account} / {password}. Ctrl-C stops everything.", flush=True)
            while web.is_running():
                time.sleep(1)

    def _start(
        self, stack: ExitStack, environment: dict[str, str], data: DataFolder, port: int
    ) -> Child:
        """Start a worker and a web server, which the stack ends; return the latter."""
        worker = ["celery", "-A", self.project, "worker", "-Q", "imgrec", "-c", "1"]
        web = [*self._command, "runserver", "--noreload", str(port)]
        for name, command in (("worker", [sys.executable, "-m", *worker]), ("web", web)):
            child = Child(name, command, environment=environment, log=data.log(name))
            stack.callback(child.stop)
            child.start()
        return child

    @property
    def _command(self) -> list[str]:
        return [sys.executable, str(self.here / "manage.py")]

    def _variables(self, database: str, redis: str, folder: Path) -> dict[str, str]:
        """Return what the shop's processes need to find servers, files and modules."""
        path = [str(self.here), str(ROOT), os.environ.get("PYTHONPATH", "")]
        settings = {
            "DJANGO_SETTINGS_MODULE": f"{self.project}.settings",
            "DATABASE_URL": database,
            "REDIS_URL": redis,
            "SHOP_DATA": str(folder),
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **settings}

    def _manage(self, environment: dict[str, str], *arguments: str) -> int:
        """Run one of Django's commands to its end; return its exit status."""
        command = [*end_with_us("TERM"), *self._command, *arguments]
        return subprocess.run(command, env=environment).returncode


def _end(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
