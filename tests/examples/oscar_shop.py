"""The oscar example as its reader starts it, ended as Ctrl-C ends it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg

from demo_shop.services import Postgres, end_with_us, free_port
from tests.worker import ROOT

HERE = ROOT / "examples" / "oscar"
READY_SECONDS = 400  # oscar has many migrations
STOP_SECONDS = 40
OPEN = re.compile(r"Shop (http://\S+)/catalogue/")


class OscarShop:
    """A running shop; ``address`` is the one it printed."""

    def __init__(self, python: str, folder: Path) -> None:
        self.python, self.folder = python, folder
        self._log = folder.with_suffix(".log")
        command = [python, str(HERE / "run.py"), "--data", str(folder), "--port", str(free_port())]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [*end_with_us("TERM"), *command],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *_inherited()])},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.address = self._wait_until_open()
        self._postgres = Postgres(folder, database="oscar_shop")
        self._postgres.start()  # finds the one that runs

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

    def sql(self, statement: str, *values: object) -> list[Any]:
        """Run a statement as another client of the shop's database; return its rows."""
        with psycopg.connect(self._postgres.url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def product(self, title: str, structure: str) -> tuple[int, str]:
        """Return the key of a product and the path of its page."""
        where = "title = %s AND structure = %s"
        found = self.sql(f"SELECT id, slug FROM catalogue_product WHERE {where}", title, structure)
        pk, slug = found[0]
        return pk, f"/catalogue/{slug}_{pk}/"

    def manage(self, *arguments: str) -> str:
        """Run one of Django's commands; return what it said. Its errors are ours."""
        done = subprocess.run(
            [self.python, str(HERE / "manage.py"), *arguments],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "oscar_shop.settings",
                "DATABASE_URL": self._postgres.url,
                "OSCAR_DATA": str(self.folder),
                "PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT), *_inherited()]),
            },
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _wait_until_open(self) -> str:
        deadline = time.monotonic() + READY_SECONDS
        while not (said := OPEN.search(self.log())):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.terminate()
                raise RuntimeError(f"the shop did not open:\n{self.log()}")
            time.sleep(0.2)
        return said[1]


def _inherited() -> list[str]:
    return [path for path in [os.environ.get("PYTHONPATH", "")] if path]
