"""What happens to PostgreSQL and Redis in a campaign, and how both come back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import psutil
import redis
from django.db import connection

from demo_shop.services import Postgres, Redis
from tests.faults.post import patient_for_a_second
from tests.waiting import wait_until

STOP_SECONDS = 20
Meanwhile = Callable[[], object]


class Servers:
    """The tests' own two servers. ``meanwhile`` is what the shop does while one is in trouble."""

    def __init__(self, postgres: Postgres, redis_server: Redis) -> None:
        self._postgres = postgres
        self._redis = redis_server

    def mend(self) -> None:
        """Have both up and well, whatever happened."""
        self._redis.thaw()
        self._redis.start()
        self._postgres.start()

    def redis_killed(self, meanwhile: Meanwhile) -> None:
        """It ends at once and remembers nothing."""
        self._redis.kill()
        try:
            meanwhile()
        finally:
            self._redis.start()

    def redis_frozen(self, meanwhile: Meanwhile) -> None:
        """It takes connections and says nothing: its process is stopped."""
        self._redis.freeze()
        try:
            meanwhile()
        finally:
            self._redis.thaw()

    def redis_silent(self, meanwhile: Meanwhile) -> None:
        """It takes connections and commands, and answers late."""
        with patient_for_a_second(self._redis.url) as client:
            client.client_pause(1500)
        meanwhile()

    def redis_emptied(self, meanwhile: Meanwhile) -> None:
        """Everything in it is gone, twice."""
        with patient_for_a_second(self._redis.url) as client:
            client.flushall()
            meanwhile()
            client.flushall()

    def redis_refusing(self, meanwhile: Meanwhile) -> None:
        """It knows nobody any more: another password, and all connections are closed."""
        password = self._redis.password
        with patient_for_a_second(self._redis.url) as client:
            client.config_set("requirepass", password[::-1])
            with suppress(redis.RedisError):
                client.client_kill_filter(_type="normal", skipme=True)
            try:
                meanwhile()
            finally:
                client.config_set("requirepass", password)

    def backends_terminated(self, meanwhile: Meanwhile) -> None:
        """Every connection but ours is closed by the server."""
        meanwhile()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def postgres_restarted(self, meanwhile: Meanwhile) -> None:
        """The server ends in immediate mode, as in a crash, and recovers from its log."""
        meanwhile()
        pid = self._postgres.pid
        assert pid is not None, "a server of somebody else's"
        server = psutil.Process(pid)
        children = server.children(recursive=True)
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: _is_over(server), STOP_SECONDS)
        psutil.wait_procs(children, timeout=STOP_SECONDS)
        self._postgres.stop()  # it is gone; this takes note
        connection.close()
        self._postgres.start()


def _is_over(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def keep_what_is_committed(keep: bool) -> None:
    """Have commits of the tests' database outlive a crash of the server, or not any more."""
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        way = "SET synchronous_commit = on" if keep else "RESET synchronous_commit"
        cursor.execute(f"ALTER DATABASE {name} {way}")
        # or the first crash has all to redo that the tests before have written
        cursor.execute("CHECKPOINT")
    connection.close()
