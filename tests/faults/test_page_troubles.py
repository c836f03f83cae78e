"""Six troubles of a product page: it is served, hardly later, and the log says why, once."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import Client
from django.urls import path
from psycopg import sql
from pytest_django import Settings

from demo_shop.services import Redis
from imgrec import indexing, quiet
from imgrec.spaces import space_by_label
from tests.brokers import in_trouble
from tests.faults.databases import copied, somebody_else
from tests.pictures import upload
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db(transaction=True)

SLOWER_SECONDS = 0.3
VIEWS = 3
PAGE = Template("{% load imgrec %}<h1>{{ product }}</h1>{% similar_products product limit=4 %}")

VECTORS, LISTS = "testapp_productembedding", "testapp_productembeddinglist"
NO_LISTS = f"TRUNCATE {LISTS}"
NO_VECTORS = f"TRUNCATE {VECTORS}"
OF_ANOTHER_ENCODER = """
ALTER TABLE testapp_productembedding ALTER vector TYPE halfvec;
UPDATE testapp_productembedding SET vector = '[1,2,3]' WHERE owner_id % 2 = 0
"""
SLEEPING = """
ALTER TABLE testapp_productembeddinglist RENAME TO elsewhere;
CREATE VIEW testapp_productembeddinglist AS SELECT elsewhere.* FROM elsewhere, pg_sleep(20)
"""


def page(request: HttpRequest, pk: int) -> HttpResponse:
    """A shop's product page, which goes on to ask the database after our list."""
    html = PAGE.render(Context({"product": Product.objects.get(pk=pk)}))
    return HttpResponse(f"{html}<footer>{Product.objects.count()} products</footer>")


urlpatterns = [path("<int:pk>/", page)]


@contextmanager
def changed(*statements: str) -> Iterator[None]:
    """Somebody changes the database, for good; who was connected comes again."""
    with somebody_else() as other:
        for statement in statements:
            other.execute(statement.encode())
    connection.close()
    yield


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Somebody rebuilds a table."""
    lock = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table))
    with somebody_else() as other:
        other.execute(lock)
        yield
        other.rollback()


def no_extension() -> AbstractContextManager[None]:
    return changed(NO_LISTS, "DROP EXTENSION vector CASCADE")


def wrong_dimension() -> AbstractContextManager[None]:
    """Half of the table is already of another encoder."""
    space = space_by_label("testapp.product.embedding")
    assert space is not None
    hnsw = [each.name for each in space.embedding_model._meta.indexes if "hnsw" in each.name]
    return changed(NO_LISTS, f"DROP INDEX {', '.join(hnsw)}", OF_ANOTHER_ENCODER)


def too_slow() -> AbstractContextManager[None]:
    """The lists answer too late for the shop's own limit."""
    name = connection.settings_dict["NAME"]
    return changed(SLEEPING, f"ALTER DATABASE {name} SET statement_timeout = '150ms'")


@dataclass(frozen=True)
class Trouble:
    """What is wrong; whether look-alikes are shown nevertheless; how often that is logged."""

    name: str
    begin: Callable[[], AbstractContextManager[None]]
    shows: bool = False
    logged: int = 1


TROUBLES = [
    Trouble("extension missing", no_extension),
    Trouble("lists locked", lambda: locked(LISTS)),
    Trouble("vectors locked", lambda: locked(VECTORS), shows=True, logged=0),
    Trouble("spaces locked", lambda: locked("imgrec_space")),
    Trouble("statement timeout", too_slow),
    Trouble("wrong dimension", wrong_dimension),
    Trouble("empty table", lambda: changed(NO_LISTS, NO_VECTORS), logged=0),
]


@pytest.fixture
def pages(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Addresses of products with look-alikes, in a database that may be broken for good."""
    settings.ROOT_URLCONF = __name__
    for number in range(6):
        Product.objects.create(title=f"P{number}", photo=upload(number / 6))
    indexing.work()
    keys = Product.objects.order_by("pk").values_list("pk", flat=True)
    addresses = [f"/{pk}/" for pk in keys]
    with copied():
        yield addresses


def seconds_of(pages: list[str], *, shows: bool) -> float:
    """View some pages; return the median of their seconds."""
    took = []
    for address in pages[:VIEWS]:
        began = time.perf_counter()
        answer = Client().get(address)
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200
        assert answer.content.endswith(b"6 products</footer>")
        assert (b"<li" in answer.content) is shows
    return statistics.median(took)


def hold(
    pages: list[str], trouble: Trouble, caplog: pytest.LogCaptureFixture, mode: pytest.MonkeyPatch
) -> None:
    """View pages in peace and in trouble, each on its own and each in a transaction."""
    usual = {}
    for atomic in (False, True):
        mode.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic)
        usual[atomic] = seconds_of(pages, shows=True)
    with trouble.begin():
        for atomic in (False, True):
            mode.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic)
            mode.setattr(quiet, "_logged_at", {})
            caplog.clear()
            slower = seconds_of(pages, shows=trouble.shows) - usual[atomic]
            assert slower <= SLOWER_SECONDS
            assert len(caplog.records) == trouble.logged, caplog.text


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_the_page_is_served(
    pages: list[str],
    trouble: Trouble,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hold(pages, trouble, caplog, monkeypatch)


def test_the_page_is_served_without_redis(
    pages: list[str],
    redis_server: Redis | None,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if redis_server is None:
        pytest.skip("IMGREC_TEST_REDIS_URL names a server the tests may not stop")
    down = Trouble("Redis down", lambda: in_trouble(redis_server, "refusing"), shows=True, logged=0)
    hold(pages, down, caplog, monkeypatch)
