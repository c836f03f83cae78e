"""The embedded servers: quick, private, and never in the way of the next start."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from demo_shop.services import Postgres, Redis, ServiceError
from demo_shop.services.service import Service
from tests.worker import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all, since making a PostgreSQL costs a second."""
    return tmp_path_factory.mktemp("services")


@pytest.fixture
def postgres_here(folder: Path) -> Iterator[Postgres]:
    with Postgres(folder, durable=False) as server:
        yield server


@pytest.fixture
def redis_here(folder: Path) -> Iterator[Redis]:
    with Redis(folder) as server:
        yield server


@pytest.fixture(params=["postgres_here", "redis_here"])
def service(request: pytest.FixtureRequest) -> Service:
    server = request.getfixturevalue(request.param)
    assert isinstance(server, Service)
    return server


def answers(service: Service) -> bool:
    try:
        if isinstance(service, Postgres):
            psycopg.connect(service.url).close()
        else:
            with redis.Redis.from_url(service.url, socket_timeout=1) as client:
                client.ping()
    except (psycopg.OperationalError, redis.RedisError):
        return False
    return True


def test_postgres_has_pgvector_and_room_for_connections(postgres_here: Postgres) -> None:
    with psycopg.connect(postgres_here.url) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        query = "SELECT '[1,2,3]'::halfvec(3) <=> '[2,4,6]', current_setting('max_connections')"
        row = connection.execute(query).fetchone()
    assert row == (pytest.approx(0, abs=1e-6), "100")


def test_a_second_start_is_quick_and_keeps_the_data(folder: Path) -> None:
    with Postgres(folder) as first, psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    started_at = time.monotonic()
    with Postgres(folder) as second, psycopg.connect(second.url) as connection:
        assert time.monotonic() - started_at < 5
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        connection.execute("DROP TABLE kept")


def test_starting_twice_changes_nothing(service: Service) -> None:
    pid = service.pid
    service.start()
    assert service.pid == pid


def test_another_start_finds_the_server_and_leaves_it_running(service: Service) -> None:
    other = type(service)(service.folder.parent)
    other.start()
    assert (other.pid, other.url) == (service.pid, service.url)
    other.stop()
    assert answers(service)


def test_stop_ends_the_process(service: Service) -> None:
    pid = service.pid
    assert pid is not None
    service.stop()
    assert not psutil.pid_exists(pid)
    assert not answers(service)


def test_a_killed_server_comes_back_on_its_port(service: Service) -> None:
    url = service.url
    service.kill()
    assert not answers(service)
    service.start()
    assert service.url == url
    assert answers(service)


def test_a_frozen_redis_accepts_and_says_nothing(redis_here: Redis) -> None:
    redis_here.freeze()
    try:
        with pytest.raises(redis.TimeoutError):
            redis.Redis.from_url(redis_here.url, socket_timeout=0.2).ping()
    finally:
        redis_here.thaw()
    assert answers(redis_here)


def test_a_frozen_redis_can_be_stopped(redis_here: Redis) -> None:
    redis_here.freeze()
    redis_here.stop()
    assert not answers(redis_here)


def test_a_pid_that_now_belongs_to_another_process_is_stale(folder: Path) -> None:
    with Postgres(folder, durable=False) as server:
        data = server.data
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1\n{server.port}\n")
    with Postgres(folder, durable=False) as server:
        assert server.pid != os.getpid()
        assert answers(server)


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process of its parent's end"
)
def test_a_crash_of_the_starter_leaves_nothing_running(folder: Path) -> None:
    program = (
        "import os, sys; from demo_shop.services import Postgres, Redis\n"
        "servers = [Postgres(sys.argv[1]), Redis(sys.argv[1])]\n"
        "[server.start() for server in servers]\n"
        "print(*[server.pid for server in servers], flush=True); os._exit(9)"
    )
    command = [sys.executable, "-c", program, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    orphans = [int(word) for word in done.stdout.split()]
    assert len(orphans) == 2, done.stderr
    with Postgres(folder) as postgres, Redis(folder) as redis_again:
        assert postgres.pid not in orphans
        assert redis_again.pid not in orphans
        assert answers(postgres)
        assert answers(redis_again)


def test_strangers_are_kept_out(postgres_here: Postgres, redis_here: Redis) -> None:
    url = postgres_here.url.replace(postgres_here.password, "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=redis_here.port or 0).ping()
    for server in (postgres_here, redis_here):
        assert (server.folder / "password").stat().st_mode & 0o077 == 0


def test_a_server_that_cannot_start_says_why(tmp_path: Path, redis_here: Redis) -> None:
    taken = Redis(tmp_path, port=redis_here.port)
    with pytest.raises(ServiceError, match="Address already in use"):
        taken.start()
