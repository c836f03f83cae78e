"""The first load drops the index and builds it afterwards, whoever is killed in between."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, connections, transaction

from imgrec import doctor, first_load, index_building, index_facts, indexing
from imgrec.models import EmbeddingJob
from imgrec.queryset import SimilarityQuerySet
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.pictures import upload
from tests.queueing import queue
from tests.roles import worker_role
from tests.synthetic import fill
from tests.testapp.models import Product
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)
LABEL = "testapp.product.embedding"


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> Iterator[SpaceDefinition]:
    """The ordinary space, where twenty photos are many and four are few."""
    monkeypatch.setattr(first_load, "LOAD_FROM", 20)
    monkeypatch.setattr(first_load, "LOADED_BELOW", 4)
    monkeypatch.setattr(first_load, "_told", set())
    monkeypatch.setattr(first_load, "_failed_at", {})
    found = space_by_label(LABEL)
    assert found is not None
    yield found
    index_building.mend(found)


def state(space: SpaceDefinition) -> str:
    return index_facts.examine(space).state


def wait(space: SpaceDefinition, count: int) -> None:
    """Have this many photos wait, each with a file."""
    for i in range(count):
        Product.objects.create(photo=upload(i / count))
    assert EmbeddingJob.objects.filter(space=space.label).count() == count


def test_a_load_from_beginning_to_end(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def noting(asked: SpaceDefinition, *, seconds: float) -> bool:
        busy = process(asked, seconds=seconds)
        if asked is space:
            seen.append((state(space), space.embedding_model.objects.count()))
        return busy

    process = indexing.process
    monkeypatch.setattr(indexing, "process", noting)
    wait(space, 24)
    indexing.work(only=[space])
    assert ("missing", 24) in seen
    assert state(space) == "valid"


def test_few_photos_keep_the_index(space: SpaceDefinition) -> None:
    wait(space, 19)
    assert not first_load.begin(space)
    assert state(space) == "valid"


def test_photos_that_cannot_go_on_are_no_load(space: SpaceDefinition) -> None:
    queue(space, range(30))
    EmbeddingJob.objects.update(reason=Reason.WEIGHTS_UNAVAILABLE)
    assert not first_load.begin(space)
    assert state(space) == "valid"


def test_a_table_that_has_vectors_keeps_the_index(space: SpaceDefinition) -> None:
    fill(space, [Product.objects.create(photo="a.png")])
    queue(space, range(30))
    assert not first_load.begin(space)
    assert state(space) == "valid"


def test_killed_after_the_drop_another_goes_on(space: SpaceDefinition) -> None:
    wait(space, 24)
    assert first_load.begin(space)
    # the worker that dropped it is gone, and so is what it knew
    assert not first_load.finish(space), "the load is not over"
    assert doctor.examine_space(space)["first_load"]
    assert not any("index" in problem for problem in doctor.examine_space(space)["problems"])
    indexing.work(only=[space])
    assert state(space) == "valid"
    assert not doctor.examine_space(space)["first_load"]


def test_killed_between_load_and_build_the_next_idle_one_builds(space: SpaceDefinition) -> None:
    queue(space, range(30))
    assert first_load.begin(space)
    EmbeddingJob.objects.all().delete()
    assert any("missing" in problem for problem in doctor.examine_space(space)["problems"])
    indexing.work(only=[space])
    assert state(space) == "valid"


def test_killed_while_building_the_invalid_index_is_built_anew(space: SpaceDefinition) -> None:
    with connection.cursor() as cursor:
        name = index_facts.index_of(space, "hnsw").name
        spoil = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)"
        cursor.execute(spoil, [name])
    assert state(space) == "invalid"
    indexing.work(only=[space])
    assert state(space) == "valid"


def test_a_build_that_goes_on_without_its_worker_is_left_to_end(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server finishes what a killed worker began; nobody begins it a second time."""
    products = Product.objects.bulk_create(Product(photo=f"{i}.png") for i in range(3000))
    fill(space, products)
    execute = connection.cursor().execute
    execute(f"DROP INDEX {index_facts.index_of(space, 'hnsw').name}")
    todo = index_building.statements(space, index_facts.examine(space))
    builder = index_building._Builder("default", todo, "")
    builder.start()
    while builder.is_alive() and not index_facts.examine(space, rows=0).building:
        pass
    assert builder.is_alive()
    assert not first_load.finish(space)
    builder.join()
    assert builder.error is None
    assert state(space) == "valid"


def test_two_workers_at_once(space: SpaceDefinition) -> None:
    queue(space, range(30))
    dropped = both(lambda: first_load.begin(space))
    assert sorted(dropped) == [False, True]
    EmbeddingJob.objects.all().delete()
    built = both(lambda: first_load.finish(space))
    assert built.count(True) == 1
    assert state(space) == "valid"


def both(work: Callable[[], bool]) -> list[bool]:
    """Do it in two threads, each with a connection of its own."""
    done: list[bool] = []
    start = threading.Barrier(2)

    def run() -> None:
        start.wait()
        try:
            done.append(work())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def test_a_role_without_the_rights_keeps_the_index_and_says_so_once(
    space: SpaceDefinition, caplog: pytest.LogCaptureFixture
) -> None:
    queue(space, range(30))
    with worker_role(), caplog.at_level(logging.WARNING, "imgrec"):
        assert not first_load.begin(space)
        assert not first_load.begin(space)
    assert state(space) == "valid"
    assert [r.getMessage() for r in caplog.records if "keeps its index" in r.getMessage()] == [
        f"imgrec: {LABEL} keeps its index for the first load: "
        f"{space.embedding_model._meta.db_table} belongs to the role postgres"
    ]


def test_a_role_without_the_rights_says_once_what_to_run(
    space: SpaceDefinition, caplog: pytest.LogCaptureFixture
) -> None:
    queue(space, range(30))
    assert first_load.begin(space)
    EmbeddingJob.objects.all().delete()
    with worker_role(), caplog.at_level(logging.WARNING, "imgrec"):
        assert not first_load.finish(space)
        assert not first_load.finish(space)
    told = [r.getMessage() for r in caplog.records if "CREATE INDEX CONCURRENTLY" in r.getMessage()]
    assert len(told) == 1


def test_a_reader_that_takes_long_keeps_the_index(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_load, "LOCK_WAIT", "50ms")
    queue(space, range(30))
    reader: Any = connections["default"].copy()
    try:
        with reader.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"TABLE {space.embedding_model._meta.db_table}")
        assert not first_load.begin(space)
    finally:
        reader.close()
    assert state(space) == "valid"
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone()[0] == "0"
    assert first_load.begin(space)


def test_a_build_that_fails_is_not_tried_again_at_once(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> bool:
        tried.append(args)
        raise index_building.IndexRefused("no space left on device")

    tried: list[Any] = []
    queue(space, range(30))
    assert first_load.begin(space)
    EmbeddingJob.objects.all().delete()
    monkeypatch.setattr(first_load, "mend", fail)
    assert not first_load.finish(space)
    assert not first_load.finish(space)
    assert len(tried) == 1


def test_inside_a_transaction_nothing_is_built(space: SpaceDefinition) -> None:
    queue(space, range(30))
    assert first_load.begin(space)
    EmbeddingJob.objects.all().delete()
    with transaction.atomic():
        assert not first_load.finish(space)


def test_searches_without_the_index_are_exact(space: SpaceDefinition) -> None:
    products = Product.objects.bulk_create(Product(photo=f"{i}.png") for i in range(300))
    vectors = fill(space, products)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {index_facts.index_of(space, 'hnsw').name}")
    rows: SimilarityQuerySet = Product.objects.all()
    found = [each.pk for each in rows.similar_to(products[0])[:10]]
    order = (-(vectors @ vectors[0])).argsort()[1:11]
    assert found == [products[i].pk for i in order]


def test_a_worker_builds_what_a_load_left_missing(
    space: SpaceDefinition, start_worker: Callable[..., Worker]
) -> None:
    queue(space, range(30))
    assert first_load.begin(space)
    EmbeddingJob.objects.all().delete()
    start_worker(tick_seconds=1)
    waited = threading.Event()
    for _ in range(200):
        if state(space) == "valid":
            break
        waited.wait(0.1)
    assert state(space) == "valid"
