"""Manners of a guest: nothing of ours is left in the host's transaction, session or database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection, connections, transaction
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from psycopg.pq import TransactionStatus
from pytest_django import Settings

from imgrec import indexing, similar_products
from imgrec.guest import guarded, with_settings
from tests.shapes import SHAPES, Shape
from tests.testapp.models import Product, Tag, TwoSpaces

pytestmark = pytest.mark.usefixtures("fresh_index")

HUES = [0.0, 0.02, 0.31, 0.33, 0.66]
SHOPS = ["integer key", "two fields, first", "many photos"]
BY_NAME = {shape.name: shape for shape in SHAPES}
TAG = Template("{% load imgrec %}{% similar_products product limit=3 %}")


def settings_now() -> dict[str, str]:
    """Return every setting of the session, and what else a session keeps."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name <> 'transaction_timeout'")
        found = dict(cursor.fetchall())
        cursor.execute(
            "SELECT (SELECT count(*) FROM pg_prepared_statements),"
            " (SELECT count(*) FROM pg_cursors WHERE name <> ''),"
            " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')"
        )
        found["kept"] = str(cursor.fetchone())
    return found


def shop(shape: Shape, *, live: bool = True) -> list[Any]:
    made = [shape.make(hue) for hue in HUES]
    indexing.work()
    if live:
        shape.space.list_model.objects.all().delete()
    return made


@pytest.fixture(params=["exact", "hnsw"])
def way(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Either way of a live search."""
    if request.param == "hnsw":
        settings.IMGREC = {**settings.IMGREC, "exact_below": 1}
    return str(request.param)


def searches(seed: Any, way: str) -> None:
    """Search in each way there is: as a function, a tag and a queryset."""
    found = similar_products(seed, limit=3)
    assert (len(found), found.way) == (3, way)
    assert TAG.render(Context({"product": seed})).count("<li") == 3
    assert len(type(seed).objects.similar_to(seed)[:3]) == 3


# Settings


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", SHOPS)
def test_a_session_in_autocommit_keeps_its_settings(name: str, way: str) -> None:
    made = shop(BY_NAME[name])
    searches(made[0], way)  # loads the extension, whose settings are then known
    before = settings_now()
    searches(made[0], way)
    assert settings_now() == before
    assert connection.connection.info.transaction_status == TransactionStatus.IDLE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", SHOPS)
def test_a_transaction_keeps_its_settings_and_its_work(name: str, way: str) -> None:
    made = shop(BY_NAME[name])
    searches(made[0], way)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '77s'; SET LOCAL hnsw.ef_search = 77")
        Tag.objects.create(name="written before")
        before = settings_now()
        searches(made[0], way)
        assert settings_now() == before
        assert connection.connection.info.transaction_status == TransactionStatus.INTRANS
    assert Tag.objects.filter(name="written before").exists()


@pytest.mark.django_db
def test_what_is_written_while_a_tag_renders_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thumbnail libraries do."""
    made = shop(BY_NAME["integer key"])

    def address(self: Product) -> str:
        Tag.objects.get_or_create(name="thumbnail")
        return "/"

    monkeypatch.setattr(Product, "get_absolute_url", address, raising=False)
    assert TAG.render(Context({"product": made[0]})).count("<li") == 3
    assert Tag.objects.filter(name="thumbnail").exists()


def test_autocommit_switched_off_by_hand_is_a_transaction(transactional_db: None, way: str) -> None:
    made = shop(BY_NAME["integer key"])
    transaction.set_autocommit(False)
    try:
        Tag.objects.create(name="mine")
        searches(made[0], way)
        with pytest.raises(DatabaseError):
            similar_products(made[0], among=Product.objects.extra(where=["nonsense"]))
        assert Tag.objects.filter(name="mine").exists()
        transaction.rollback()
    finally:
        transaction.set_autocommit(True)
    assert not Tag.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("theirs", "ours"), [("0", "700ms"), ("5min", "700ms"), ("300ms", "300ms")]
)
def test_a_search_has_a_time_limit_unless_the_hosts_is_stricter(
    theirs: str, ours: str, settings: Settings
) -> None:
    settings.IMGREC = {**settings.IMGREC, "live_timeout_ms": 700}
    made = shop(BY_NAME["integer key"])
    rows = Product.objects.annotate(limit=RawSQL("current_setting('statement_timeout')", ()))
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{theirs}'")
    found = similar_products(made[0], among=rows, limit=3)
    assert [each.limit for each in found] == [ours] * 3


@pytest.mark.django_db(transaction=True)
def test_a_search_that_takes_too_long_is_given_up(settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "live_timeout_ms": 50}
    made = shop(BY_NAME["integer key"])
    slow = Product.objects.extra(where=["pg_sleep(1) IS NOT NULL"])
    with pytest.raises(DatabaseError, match="statement timeout"):
        similar_products(made[0], among=slow)
    settings.IMGREC = {**settings.IMGREC, "live_timeout_ms": 0}
    quick = Product.objects.extra(where=["pg_sleep(0.06) IS NOT NULL"])
    assert len(similar_products(made[0], among=quick, limit=2)) == 2


# Failures


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", SHOPS)
def test_a_failure_in_a_transaction_leaves_it_usable(name: str, way: str) -> None:
    shape = BY_NAME[name]
    made = shop(shape)
    broken = shape.item.objects.extra(where=["nonsense"])
    tag = Template("{% load imgrec %}{% similar_products product among=broken %}")
    with transaction.atomic():
        Tag.objects.create(name="before")
        before = settings_now()
        with pytest.raises(DatabaseError):
            similar_products(made[0], among=broken)
        with pytest.raises(DatabaseError):
            list(broken.similar_to(made[0]))
        assert tag.render(Context({"product": made[0], "broken": broken})) == ""
        assert settings_now() == before
        searches(made[0], way)
        Tag.objects.create(name="after")
    assert Tag.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_failure_while_a_tag_renders_takes_only_its_own_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = shop(BY_NAME["integer key"])

    def address(self: Product) -> str:
        Tag.objects.create(name="while rendering")
        return str(Tag.objects.extra(where=["nonsense"]).count())

    monkeypatch.setattr(Product, "get_absolute_url", address, raising=False)
    with transaction.atomic():
        Tag.objects.create(name="before")
        assert TAG.render(Context({"product": made[0]})) == ""
        Tag.objects.create(name="after")
    assert set(Tag.objects.values_list("name", flat=True)) == {"before", "after"}


@pytest.mark.django_db
def test_guards_in_guards_and_a_host_that_gave_up() -> None:
    with guarded("default"):
        Tag.objects.create(name="kept")
        with pytest.raises(DatabaseError), guarded("default"):
            Tag.objects.extra(where=["nonsense"]).count()
        with guarded("default"):
            Tag.objects.create(name="gone")
            transaction.set_rollback(True)  # as a failed atomic(savepoint=False) does
    assert [tag.name for tag in Tag.objects.all()] == ["kept"]
    with pytest.raises(ZeroDivisionError), with_settings("default", hnsw__ef_search=5):
        _ = 1 / 0
    assert Tag.objects.count() == 1


# Pages


def shown(request: HttpRequest) -> HttpResponse:
    """A page of the shop, which writes and shows look-alikes of a product."""
    Tag.objects.create(name="viewed")
    seed = Product.objects.get(pk=request.GET["product"])
    among = Product.objects.extra(where=["nonsense"]) if "broken" in request.GET else None
    tag = Template("{% load imgrec %}{% similar_products product limit=3 among=among %}")
    html = tag.render(Context({"product": seed, "among": among}))
    return HttpResponse(f"{html.count('<li')} {Tag.objects.count()}")


async def shown_async(request: HttpRequest) -> HttpResponse:
    """The same as an async view: look-alikes are read in a thread."""
    return await sync_to_async(shown)(request)


async def together(request: HttpRequest) -> HttpResponse:
    """An async view that asks for several at once."""
    seeds = [seed async for seed in Product.objects.order_by("pk")[:4]]
    found = await asyncio.gather(*(sync_to_async(similar_products)(seed) for seed in seeds))
    return HttpResponse(" ".join(str(len(each)) for each in found))


urlpatterns = [
    path("shown/", shown),
    path("shown-async/", shown_async),
    path("together/", together),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls(__name__)
@pytest.mark.parametrize("address", ["/shown/", "/shown-async/"])
@pytest.mark.parametrize("atomic", [False, True])
def test_pages_with_and_without_atomic_requests(
    address: str, atomic: bool, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shop(BY_NAME["integer key"])
    if address == "/shown/":  # Django has no async views in ATOMIC_REQUESTS
        monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic)
    client = Client()
    searches(made[0], way)
    before = settings_now()
    query = {"product": made[0].pk}
    assert client.get(address, query).content == b"3 1"
    assert client.get(address, {**query, "broken": "1"}).content == b"0 2"
    assert Tag.objects.count() == 2
    assert settings_now() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls(__name__)
def test_an_asgi_page() -> None:
    made = shop(BY_NAME["integer key"])

    async def visit() -> tuple[bytes, bytes]:
        client = AsyncClient()
        page = await client.get("/shown-async/", {"product": made[0].pk})
        several = await client.get("/together/")
        await sync_to_async(connections.close_all)()  # those of the thread
        return page.content, several.content

    assert asyncio.run(visit()) == (b"3 1", b"4 4 4 4")


# Pools and replicas


@pytest.fixture
def pooled(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """As behind PgBouncer in transaction mode: after each transaction another server process."""
    connection.ensure_connection()
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    params = connection.get_connection_params()
    servers = [connection.connection]
    for _ in range(2):
        servers.append(connection.Database.connect(**params))
        servers[-1].autocommit = True
    create_cursor = connection.create_cursor

    def next_one(name: str | None = None) -> Any:
        server = connection.connection
        if server.autocommit and server.info.transaction_status == TransactionStatus.IDLE:
            place = servers.index(connection.connection)
            connection.connection = servers[(place + 1) % len(servers)]
        return create_cursor(name)

    monkeypatch.setattr(connection, "create_cursor", next_one)
    yield servers
    monkeypatch.undo()
    for server in servers:
        server.close()
    connection.close()


def of_server(server: Any) -> dict[str, Any]:
    rows = psycopg.Cursor(server).execute("SELECT name, setting FROM pg_settings").fetchall()
    prepared = psycopg.Cursor(server).execute("SELECT count(*) FROM pg_prepared_statements")
    return {**dict(rows), "prepared": prepared.fetchone()}


def test_behind_a_pooler_no_server_process_keeps_anything(pooled: list[Any], way: str) -> None:
    for name in SHOPS:
        made = shop(BY_NAME[name])
        for _ in pooled:
            searches(made[0], way)  # each of them has loaded the extension
        before = [of_server(server) for server in pooled]
        for _ in pooled:
            searches(made[0], way)
        with pytest.raises(DatabaseError):
            similar_products(made[0], among=BY_NAME[name].item.objects.extra(where=["nonsense"]))
        assert [of_server(server) for server in pooled] == before
        statuses = {server.info.transaction_status for server in pooled}
        assert statuses == {TransactionStatus.IDLE}


class ToTheReplica:
    """A host's router."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, *objects: Any, **hints: Any) -> bool:
        return True


@pytest.fixture
def replica(transactional_db: None) -> Iterator[str]:
    """A second alias; that it is the same database proves nothing less."""
    connections.settings["replica"] = {**connections.settings["default"]}
    connections.settings["replica"]["NAME"] = connection.settings_dict["NAME"]
    connections["replica"].connect()  # the test may not do so by itself
    yield "replica"
    connections["replica"].close()
    del connections["replica"]
    del connections.settings["replica"]


def refuse(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    raise AssertionError(f"sent to the primary: {sql}")


@pytest.mark.parametrize("name", SHOPS)
@pytest.mark.parametrize("live", [False, True])
def test_a_router_sends_every_read_to_the_replica(
    replica: str, name: str, live: bool, way: str
) -> None:
    made = shop(BY_NAME[name], live=live)
    with (
        override_settings(DATABASE_ROUTERS=[f"{__name__}.ToTheReplica"]),
        connection.execute_wrapper(refuse),
    ):
        searches(made[0], way if live else "list")


@pytest.mark.parametrize("live", [False, True])
def test_among_says_where_to_read(replica: str, live: bool, way: str) -> None:
    for name in SHOPS:
        made = shop(BY_NAME[name], live=live)
        rows = BY_NAME[name].item.objects.using(replica)
        with connection.execute_wrapper(refuse):
            found = similar_products(made[0], among=rows, limit=3)
            assert [each._state.db for each in found] == [replica] * 3
            assert found.way == (way if live else "list")
            assert len(rows.similar_to(made[0])[:3]) == 3
    assert TwoSpaces.objects.exists()
