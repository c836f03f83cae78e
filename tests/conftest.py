"""Servers, workers and data the tests share.

PostgreSQL and Redis start when the first test asks for a database or for Redis.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management.commands import flush
from django.db import connection, connections
from django.test import override_settings
from pytest_django import Settings

from demo_shop.environment import database
from demo_shop.services import Postgres, Redis
from imgrec import crowds, matches, remembered, steering, tallies
from imgrec.earning import counting, experiments
from imgrec.spaces import all_spaces
from tests import migrated, processes
from tests.browser.demo import Demo
from tests.browser.wares import Wares
from tests.celery import app
from tests.watched import outgoing
from tests.worker import ROOT, Worker

WATCHED = ROOT / "tests" / "watched"
SCREENSHOTS = bool(os.environ.get("IMGREC_SCREENSHOTS"))


def pytest_configure(config: pytest.Config) -> None:
    """Watch this process and all Python processes it starts for connections to other machines."""
    record, file = tempfile.mkstemp(prefix="imgrec-connections-")
    os.close(record)
    os.environ[outgoing.RECORD] = file
    paths = [str(WATCHED), str(ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    outgoing.watch()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no file behind."""
    Path(os.environ[outgoing.RECORD]).unlink(missing_ok=True)


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep together what is in one file, and what looks at the running demo."""
    if config.getoption("dist") != "loadfile":
        return None
    from tests.together import OneDemo

    return OneDemo(config, log)


@pytest.fixture(autouse=True)
def no_other_machine() -> Iterator[None]:
    """Fail the test in which any process tried to talk to another machine."""
    record = Path(os.environ[outgoing.RECORD])
    yield
    told = record.read_text()
    record.write_text("")
    assert not told, told


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres | None]:
    """The embedded PostgreSQL, or None when IMGREC_TEST_DATABASE_URL names another."""
    if os.environ.get("IMGREC_TEST_DATABASE_URL"):
        yield None
        return
    with Postgres(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        connections.settings["default"].update(
            {**database(server.url), "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False}
        )
        yield server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis | None]:
    """The embedded Redis, or None when IMGREC_TEST_REDIS_URL names another.

    A test that kills or freezes it brings it back itself: ``start()``, ``thaw()``.
    """
    if os.environ.get("IMGREC_TEST_REDIS_URL"):
        yield None
        return
    with Redis(tmp_path_factory.mktemp("redis")) as server:
        app.conf.broker_url = server.url
        with override_settings(CELERY_BROKER_URL=server.url, REDIS_URL=server.url):
            yield server


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres: Postgres | None, redis_server: Redis | None) -> None:
    """Have both servers running before pytest-django makes its database."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Django's test database; a flush puts back what a migrated one holds."""
    with django_db_blocker.unblock():
        tables = migrated.keep()

    def put_back(verbosity: int, interactive: bool, database: str) -> None:
        migrated.put_back(tables)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "emit_post_migrate_signal", put_back)
        yield


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Settings) -> Path:
    """An empty folder of uploaded files for each test."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Put statements together and count anew in each test, which begins without rules."""
    rooms: list[Any] = [remembered, crowds, steering, tallies, matches, counting, experiments]
    for room in rooms:
        room.forget()
    for space in all_spaces():  # as a process knows it that has looked: a rule saved ends it
        steering._known[space.item_model._meta.label_lower, "default"] = (inf, frozenset())
    yield
    for room in rooms:
        room.forget()


@pytest.fixture
def fresh_index(db: None) -> None:
    """Begin with empty indexes.

    What other tests rolled back stays in an index until a VACUUM: thousands of dead photos in an
    HNSW graph, in which a search for five living ones may come up short and then is answered
    exactly, and a GIN index that the doctor finds bloated.
    """
    models = [m for space in all_spaces() for m in (space.embedding_model, space.list_model)]
    tables = [model._meta.db_table for model in models]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")


@pytest.fixture
def environment(transactional_db: None, media: Path) -> Callable[..., dict[str, str]]:
    """A function that returns what a process needs to work on the test's database and files.

    Its keyword arguments are laid over ``settings.IMGREC``.
    """
    return processes.environment


@pytest.fixture
def start_worker(
    environment: Callable[..., dict[str, str]], settings: Settings, tmp_path: Path
) -> Iterator[Callable[..., Worker]]:
    """A function that starts a worker of two processes; keyword arguments as for ``environment``.

    The queues are empty at the start of the test; its workers are gone at the end.
    """
    workers: list[Worker] = []

    def start(**imgrec: object) -> Worker:
        log = tmp_path / f"worker{len(workers)}.log"
        workers.append(Worker(environment(**imgrec), log=log))
        return workers[-1]

    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.flushdb()
    yield start
    for worker in workers:
        worker.kill()  # to end in peace takes seconds, and nobody looks at it any more


@pytest.fixture
def celery_worker(start_worker: Callable[..., Worker]) -> Worker:
    """A running worker of two processes."""
    return start_worker()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the photos the figures are measured on."""
    folder = Path(os.environ.get("IMGREC_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no photos in {folder}; IMGREC_TEST_DATA names another folder")
    return folder


@pytest.fixture(scope="session")
def wares(tmp_path_factory: pytest.TempPathFactory) -> Wares:
    """About sixty products of six kinds: photos where there are some, else drawn ones.

    The pictures in docs/ are of drawn ones: the photos are for tests, and not ours to publish.
    """
    shared = Path(os.environ.get("IMGREC_TEST_DATA") or ROOT.parent / "shared" / "data")
    is_there = not SCREENSHOTS and (shared / "catalog" / "manifest.csv").is_file()
    photos = shared / "catalog" if is_there else None
    return Wares.stocked(tmp_path_factory.mktemp("photos"), photos, everything=SCREENSHOTS)


@pytest.fixture(scope="session")
def running_demo(wares: Wares, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo shop, filled and indexed; it must end in order when interrupted."""
    demo = Demo(tmp_path_factory.mktemp("demo") / "data", wares)
    yield demo
    assert demo.stop() == 0, demo.log()


@pytest.fixture(scope="session")
def browser_path() -> str:
    """The Chromium of the machine; without one the test is skipped, or fails where it must not."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    reason = "no Chromium on this machine (on Debian: apt-get install chromium)"
    if os.environ.get("IMGREC_REQUIRE_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)
