"""The demo's data folder: photos, servers, keys, logs."""

from __future__ import annotations

import fcntl
import secrets
from pathlib import Path
from typing import IO

from demo_shop.environment import write_private
from demo_shop.running.errors import FolderInUse

ADMIN_NAME = "admin"


class DataFolder:
    """Made on first use; kept for the next start."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: IO[str] | None = None

    def take(self) -> None:
        """Hold the folder until it is given back or this process ends. Raises FolderInUse."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = (self.path / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise FolderInUse(f"Another demo runs over {self.path}. Stop it first.") from error
        self._lock = lock

    def give_back(self) -> None:
        """Let others have the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def admin_password(self) -> str:
        """The admin's password, drawn on the first start."""
        path = self.path / "admin-password"
        write_private(path, secrets.token_urlsafe(9))
        return path.read_text(encoding="utf-8").strip()

    def log(self, name: str) -> Path:
        return self.path / "logs" / f"{name}.log"
