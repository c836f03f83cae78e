"""Saving is the shop's business: no extra statement, no wait, no error because of us."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core import serializers
from django.db import transaction

import imgrec
from demo_shop.services import Redis
from imgrec import indexing, sweep
from imgrec.models import EmbeddingJob
from tests.brokers import in_trouble
from tests.pictures import upload
from tests.testapp.models import Item, ItemPhoto, Product
from tests.worker import Worker

JOBS = EmbeddingJob.objects
# Far above any save here, far below a broker's own time-outs: what hangs is beyond it.
HANGING_SECONDS = 1.0


def test_a_job_is_written_with_the_photo(db: None) -> None:
    product = Product.objects.create(photo=upload(0.1))
    job = JOBS.get()
    assert (job.object_pk, job.state) == (str(product.pk), "queued")
    assert job.source_name == product.photo.name


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_the_job_along() -> None:
    with transaction.atomic():
        Product.objects.create(photo=upload(0.1))
        assert JOBS.count() == 1
        transaction.set_rollback(True)
    assert not JOBS.exists()


@pytest.mark.parametrize("fields", [None, ["photo"], ["photo", "title"]])
def test_a_changed_photo_is_one_statement_more(
    db: None, django_assert_num_queries: Any, fields: list[str] | None
) -> None:
    product = Product.objects.create(photo=upload(0.1))
    product.photo = upload(0.2)
    with django_assert_num_queries(2):
        product.save(update_fields=fields)
    assert JOBS.count() == 2


@pytest.mark.parametrize(
    "touch",
    [
        lambda p: p.save(),
        lambda p: p.save(update_fields=["title"]),
        lambda p: Product.objects.only("title").get(pk=p.pk).save(),
        lambda p: Product.objects.defer("photo").get(pk=p.pk).save(),
        lambda p: Product.objects.get(pk=p.pk).save(),
    ],
    ids=["whole", "update_fields", "only", "defer", "fetched anew"],
)
def test_an_untouched_photo_is_no_job(db: None, touch: Callable[[Any], None]) -> None:
    product = Product.objects.create(photo=upload(0.1))
    JOBS.all().delete()
    product.title = "new"
    touch(product)
    assert not JOBS.exists()


def test_a_second_save_of_the_same_instance_is_no_job(db: None) -> None:
    product = Product.objects.create(photo=upload(0.1))
    product.photo.save("again.png", upload(0.3), save=True)
    assert JOBS.count() == 2
    product.save()
    assert JOBS.count() == 2


def test_a_photo_moved_to_another_item_tells_both(db: None) -> None:
    here, there = Item.objects.create(), Item.objects.create()
    photo = ItemPhoto.objects.create(item=here, image=upload(0.1))
    JOBS.all().delete()
    photo.item = there
    photo.save()
    assert set(JOBS.values_list("item_pk", flat=True)) == {str(here.pk), str(there.pk)}


def test_paused_writes_no_jobs_and_asks_for_a_sweep_once_committed(
    db: None, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("imgrec.receivers.poke", asked.append)
    with django_capture_on_commit_callbacks() as callbacks, imgrec.paused():
        Product.objects.create(photo=upload(0.1))
    assert not JOBS.exists()
    assert asked == []
    for callback in callbacks:
        callback()
    assert asked == ["imgrec.sweep"]
    assert sweep.sweep() == 1
    assert JOBS.get().priority == sweep.PRIORITY


def test_fixtures_and_bulk_create_are_found_by_the_sweep(db: None) -> None:
    product = Product.objects.create(photo=upload(0.1))
    fixture = serializers.serialize("json", [product])
    product.delete()
    JOBS.all().delete()
    for loaded in serializers.deserialize("json", fixture):
        loaded.save()
    other = Product.objects.create(photo=upload(0.2))
    Product.objects.bulk_create([Product(photo=other.photo.name)])
    JOBS.all().delete()
    assert sweep.sweep() == 3
    assert sweep.sweep() == 0, "what is queued already is not queued again"
    indexing.work()
    assert Product.embedding.related.related_model.objects.count() == 3  # type: ignore[attr-defined]


def test_a_thousand_price_changes_cost_nothing(db: None, django_assert_num_queries: Any) -> None:
    product = Product.objects.create(photo=upload(0.1))
    products = [Product.objects.get(pk=product.pk) for _ in range(1000)]
    with django_assert_num_queries(1000):
        for number, each in enumerate(products):
            each.price = number
            each.save()


@pytest.fixture
def broker(redis_server: Redis | None) -> Redis:
    """The embedded Redis, which a test may stop."""
    if redis_server is None:
        pytest.skip("IMGREC_TEST_REDIS_URL names a server the tests may not stop")
    return redis_server


def _save(count: int) -> list[float]:
    """Save photos, each in a transaction of its own; return the seconds each took."""
    took = []
    for number in range(count):
        file = upload(number / count)
        started_at = time.perf_counter()
        Product.objects.create(photo=file)
        took.append(time.perf_counter() - started_at)
    return took


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("trouble", "count"), [("refusing", 200), ("frozen", 50), ("wrong password", 50)]
)
def test_a_broker_in_trouble_harms_no_save(
    broker: Redis, start_worker: Callable[..., Worker], trouble: str, count: int
) -> None:
    """No exception, and the work is done once the broker is back."""
    start_worker()
    with in_trouble(broker, trouble):
        assert max(_save(count)) < HANGING_SECONDS, "python -m benchmarks.saves has the figures"
    deadline = time.monotonic() + 60
    while JOBS.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not JOBS.exists()
    assert Product.objects.filter(embedding__isnull=False).count() == count
