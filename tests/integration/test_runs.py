"""A reindex: one at a time for each space, and numbers from the jobs themselves."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from pytest_django import DjangoAssertNumQueries

from imgrec import indexing, runs
from imgrec.claims import claim, claim_fresh
from imgrec.models import EmbeddingJob, Space
from imgrec.spaces import SpaceDefinition, space_by_label
from imgrec.watching import Watch, is_silent, look
from tests.pictures import upload
from tests.shapes import SHAPES, Shape
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db

LABEL = "testapp.product.embedding"


@pytest.fixture
def space() -> SpaceDefinition:
    found = space_by_label(LABEL)
    assert found is not None
    return found


@pytest.fixture
def products() -> list[Product]:
    """Four with a photo, all ready, and one without."""
    made = [Product.objects.create(photo=upload(hue / 4)) for hue in range(4)]
    Product.objects.create()
    indexing.work()
    return made


@pytest.fixture
def captured(django_capture_on_commit_callbacks: Callable[..., Any]) -> Callable[..., Any]:
    return django_capture_on_commit_callbacks


def make_older(space: SpaceDefinition, seconds: float) -> None:
    """Let the run have begun earlier."""
    ago = timedelta(seconds=seconds)
    rows = EmbeddingJob.objects.filter(space=space.label)
    rows.update(created_at=F("created_at") - ago)
    Space.objects.filter(label=space.label).update(run_started_at=F("run_started_at") - ago)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_photo_of_every_shape_is_queued(shape: Shape) -> None:
    for hue in (0.1, 0.5, None):
        shape.make(hue)
    indexing.work()
    assert runs.start(shape.space) == 2
    queued = EmbeddingJob.objects.filter(space=shape.space.label, priority=runs.RUN_PRIORITY)
    keys = set(shape.space.model._base_manager.values_list("pk", flat=True))
    assert {shape.space.model._meta.pk.to_python(job.object_pk) for job in queued} <= keys
    indexing.work()
    assert not EmbeddingJob.objects.exists()
    assert not runs.progress(shape.space).running


def test_a_run_of_a_thousand_is_one_insert(
    space: SpaceDefinition, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Product.objects.bulk_create(Product(photo=f"products/{n}.png") for n in range(1000))
    with django_assert_max_num_queries(8):
        assert runs.start(space) == 1000


def test_one_run_at_a_time(space: SpaceDefinition, products: list[Product]) -> None:
    runs.start(space)
    with pytest.raises(runs.RunRefused, match="already running") as refused:
        runs.start(space)
    assert refused.value.code == "running"
    assert EmbeddingJob.objects.filter(space=space.label).count() == 4
    indexing.work()
    assert runs.refusal(space) is None
    assert runs.start(space) == 4


def test_another_space_may_run_meanwhile(space: SpaceDefinition, products: list[Product]) -> None:
    other = space_by_label("testapp.uuidproduct.embedding")
    assert other is not None
    runs.start(space)
    assert runs.start(other) == 0


def test_a_space_that_is_off_is_not_reindexed(
    space: SpaceDefinition, products: list[Product]
) -> None:
    Space.objects.filter(label=LABEL).update(is_active=False)
    with pytest.raises(runs.RunRefused, match="switched off"):
        runs.start(space)
    assert not EmbeddingJob.objects.exists()


def test_only_some(space: SpaceDefinition, products: list[Product]) -> None:
    assert runs.start(space, [products[0].pk, products[2].pk]) == 2
    assert runs.progress(space).total == 2


def test_none_at_all(space: SpaceDefinition, products: list[Product]) -> None:
    assert runs.start(space, []) == 0
    assert not runs.progress(space).running


def test_a_rollback_starts_nothing(
    space: SpaceDefinition, products: list[Product], captured: Callable[..., Any]
) -> None:
    with captured() as callbacks, transaction.atomic():
        runs.start(space)
        transaction.set_rollback(True)
    assert callbacks == []
    assert not EmbeddingJob.objects.exists()
    assert runs.progress(space).started_at is None


def test_workers_are_told_after_the_commit(
    space: SpaceDefinition,
    products: list[Product],
    captured: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    poked: list[str] = []
    monkeypatch.setattr(runs, "poke", poked.append)
    with captured(execute=True):
        runs.start(space)
        assert poked == []
    assert poked == ["imgrec.embed_pending"]


def test_a_saved_photo_overtakes_the_run(space: SpaceDefinition, products: list[Product]) -> None:
    runs.start(space)
    products[3].photo = upload(0.9)
    products[3].save()
    claimed = claim_fresh(space, 1)
    assert [each.object_pk for each in claimed] == [str(products[3].pk)]


def test_progress_follows_the_jobs(space: SpaceDefinition, products: list[Product]) -> None:
    before = runs.progress(space)
    assert (before.total, before.running, before.started_at) == (0, False, None)
    runs.start(space)
    now = runs.progress(space)
    assert (now.total, now.done, now.waiting, now.running, now.percent) == (4, 0, 4, True, 0)
    assert (now.rate_per_second, now.seconds_left) == (None, None)
    make_older(space, 10)
    EmbeddingJob.objects.filter(object_pk=str(products[0].pk)).delete()
    now = runs.progress(space)
    assert (now.done, now.percent) == (1, 25)
    assert now.rate_per_second == pytest.approx(0.1, rel=0.1)
    assert now.seconds_left == pytest.approx(30, rel=0.1)
    indexing.work()
    now = runs.progress(space)
    assert (now.done, now.running, now.percent, now.failed) == (4, False, 100, 0)


def test_a_run_ends_with_its_lists(space: SpaceDefinition, products: list[Product]) -> None:
    runs.start(space)
    EmbeddingJob.objects.update(state=EmbeddingJob.State.LISTS)
    now = runs.progress(space)
    assert (now.done, now.lists, now.running) == (4, 4, True)


def test_failed_photos_are_done_and_counted(
    space: SpaceDefinition, products: list[Product]
) -> None:
    products[0].photo.storage.delete(products[0].photo.name)
    runs.start(space)
    indexing.work()
    now = runs.progress(space)
    assert (now.done, now.failed, now.running) == (4, 1, False)


def test_other_work_is_no_run(space: SpaceDefinition) -> None:
    Product.objects.create(photo=upload(0.1))
    now = runs.progress(space)
    assert (now.running, now.waiting, now.total) == (False, 1, 0)


def test_a_run_that_never_begins_is_stalled(
    space: SpaceDefinition, products: list[Product]
) -> None:
    runs.start(space)
    assert not runs.progress(space).stalled
    make_older(space, 31)
    assert runs.progress(space).stalled
    claim(space)  # somebody is at work
    assert not runs.progress(space).stalled


def test_a_watcher_notices_a_standstill(space: SpaceDefinition, products: list[Product]) -> None:
    runs.start(space)
    EmbeddingJob.objects.filter(object_pk=str(products[0].pk)).delete()
    seen = runs.progress(space).watch
    earlier = Watch(seen.opened_at - 40, 0, seen.waiting, seen.moved_at - 31)
    now = runs.progress(space, watch=earlier)
    assert now.stalled
    assert now.rate_per_second == pytest.approx(1 / 40, rel=0.1)
    EmbeddingJob.objects.filter(object_pk=str(products[1].pk)).delete()
    assert not runs.progress(space, watch=earlier).stalled


def test_what_is_in_the_way_is_told(space: SpaceDefinition, products: list[Product]) -> None:
    runs.start(space)
    assert runs.progress(space).obstacle == ""
    EmbeddingJob.objects.update(message="Weights are missing.", reason="weights_unavailable")
    assert runs.progress(space).obstacle == "Weights are missing."


def test_progress_reads_no_table_of_the_shop(
    space: SpaceDefinition,
    products: list[Product],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    runs.start(space)
    with django_assert_max_num_queries(3) as captured:
        runs.progress(space)
    assert not [q for q in captured.captured_queries if "testapp_product" in q["sql"]]


def test_a_watch_survives_its_address() -> None:
    watch = Watch(1700000000.125, 3, 9, 1700000001.5)
    assert Watch.parse(str(watch)) == watch
    for broken in ("", "1:2", "a:b:c:d", "1:2:3:4:5"):
        assert Watch.parse(broken) is None


def test_a_watch_keeps_when_it_last_saw_something_move() -> None:
    first = look(None, now=100.0, done=0, waiting=10)
    still = look(first, now=120.0, done=0, waiting=10)
    assert still.moved_at == 100.0
    assert is_silent(still.moved_at, 130.0)
    moved = look(still, now=131.0, done=1, waiting=9)
    assert (moved.moved_at, moved.opened_at) == (131.0, 100.0)
    assert moved.rate(131.0, 1) == pytest.approx(1 / 31)
    assert moved.rate(104.0, 1) is None


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_starts(space: SpaceDefinition) -> None:
    Product.objects.bulk_create(Product(photo=f"products/{n}.png") for n in range(300))
    both = Barrier(2)

    def attempt(_number: int) -> int:
        try:
            both.wait(10)
            return runs.start(space)
        except runs.RunRefused:
            return 0
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, range(2))) == [0, 300]
    assert EmbeddingJob.objects.count() == 300
