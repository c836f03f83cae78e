"""A shop of examples/, run by an interpreter of its own, with its database open to us."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import psycopg

from demo_shop.services import Postgres, free_port
from tests.started import StartedShop
from tests.worker import ROOT

EXAMPLES = ROOT / "examples"


class ExampleShop(StartedShop):
    """A running shop; ``address`` is the one it printed."""

    here: ClassVar[Path]
    project: ClassVar[str]  # the package of its settings, and the name of its database
    ready_seconds = 400  # their frameworks have many migrations
    stop_seconds = 40

    def __init__(self, python: str, folder: Path) -> None:
        self.python, self.folder = python, folder
        command = [python, str(self.here / "run.py")]
        command += ["--data", str(folder), "--port", str(free_port())]
        super().__init__(command, folder.with_suffix(".log"), PYTHONPATH=_path(ROOT))
        self.address = self.said[1]
        self._postgres = Postgres(folder, database=self.project)
        self._postgres.start()  # finds the one that runs

    def sql(self, statement: str, *values: object) -> list[Any]:
        """Run a statement as another client of the shop's database; return its rows."""
        with psycopg.connect(self._postgres.url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def manage(self, *arguments: str) -> str:
        """Run one of Django's commands; return what it said. Its errors are ours."""
        done = subprocess.run(
            [self.python, str(self.here / "manage.py"), *arguments],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": f"{self.project}.settings",
                "DATABASE_URL": self._postgres.url,
                "SHOP_DATA": str(self.folder),
                "PYTHONPATH": _path(self.here, ROOT),
            },
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _path(*folders: Path) -> str:
    inherited = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join(filter(None, [*map(str, folders), inherited]))
