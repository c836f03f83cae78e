"""Trouble others ran into: late workers, moved photos, restored tables, older code, limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db.models.functions import Now

from imgrec import (
    chores,
    indexing,
    jobs,
    neighbours,
    space_rows,
    spaces,
    states,
    sweep,
    tasks,
    vectors,
)
from imgrec.batches import Batch
from imgrec.claims import claim
from imgrec.models import EmbeddingJob, Space
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.brute_force import differences
from tests.pictures import upload
from tests.queueing import queue
from tests.testapp.models import Item, ItemPhoto, Product, UuidProduct
from tests.worker import Worker

pytestmark = pytest.mark.django_db
JOBS = EmbeddingJob.objects


def named(label: str) -> SpaceDefinition:
    found = space_by_label(label)
    assert found is not None
    return found


@pytest.fixture
def space() -> SpaceDefinition:
    return named("testapp.product.embedding")


@pytest.fixture
def gallery() -> SpaceDefinition:
    return named("testapp.itemphoto.embedding")


def make(count: int = 6) -> list[Product]:
    return [Product.objects.create(photo=upload(i / count)) for i in range(count)]


def make_items(count: int = 6) -> list[Item]:
    items = [Item.objects.create(title=str(i)) for i in range(count)]
    for number, item in enumerate(items):
        ItemPhoto.objects.create(item=item, image=upload(number / count))
    return items


def let_leases_run_out() -> None:
    JOBS.filter(state="leased").update(due_at=Now())


def test_a_late_worker_does_not_lose_a_lists_mark(space: SpaceDefinition) -> None:
    """Its lease ended, another took the job over, and it stores nevertheless."""
    first, *_rest = make()
    indexing.work()
    first.photo = upload(0.5)
    first.save()
    late = Batch(space, claim(space))
    let_leases_run_out()
    next_one = Batch(space, claim(space))
    late.run()
    next_one.run()
    neighbours.repair(space)
    assert differences(space) == []
    assert not JOBS.exists()


def test_a_late_worker_does_not_fail_what_another_does(space: SpaceDefinition) -> None:
    Product.objects.create(photo=ContentFile(b"?", name="broken.jpg"))
    late = claim(space)
    let_leases_run_out()
    claim(space)
    jobs.fail(space, late[0], Reason.DAMAGED)
    jobs.wait(space, late, seconds=0, reason=Reason.STORAGE_ERROR, message="")
    jobs.finish(space, late)
    assert JOBS.get().state == "leased"


def test_a_photo_moved_before_it_was_embedded(gallery: SpaceDefinition) -> None:
    here, there, *_rest = make_items()
    indexing.work()
    photo = ItemPhoto.objects.create(item=here, image=upload(0.45))
    photo.item = there
    photo.save()
    indexing.work()
    assert differences(gallery) == []
    assert not JOBS.exists()


@pytest.mark.parametrize("how", ["save", "update", "deferred", "from none"])
def test_a_photo_moved_to_another_item(gallery: SpaceDefinition, how: str) -> None:
    items = make_items()
    photo = ItemPhoto.objects.create(item=items[0], image=upload(0.51))
    indexing.work()
    if how == "update":
        ItemPhoto.objects.filter(pk=photo.pk).update(item=items[5])
        sweep.sweep()
    else:
        rows = ItemPhoto.objects.only("image") if how == "deferred" else ItemPhoto.objects
        again = rows.get(pk=photo.pk)
        again.item_id = items[5].pk
        again.save()
    indexing.work()
    assert differences(gallery) == []
    assert sweep.sweep() in (0, 2), "after a save the sweep may look once more"
    indexing.work()
    assert sweep.sweep() == 0


def test_a_killer_found_by_the_sweep_is_given_up_for_good(space: SpaceDefinition) -> None:
    stored = Product.objects.create(photo=upload(0.2))
    JOBS.all().delete()
    assert sweep.sweep() == 1
    for _attempt in range(3):
        assert claim(space)
        let_leases_run_out()
    indexing.work()
    job = JOBS.get()
    assert (job.reason, job.source_name) == (Reason.WORKER_DIED, stored.photo.name)
    assert sweep.sweep() == 0


def test_a_new_photo_that_kills_lets_go_of_the_old_ones_vector(space: SpaceDefinition) -> None:
    first, *_rest = make(4)
    indexing.work()
    first.photo = upload(0.7)
    first.save()
    for _attempt in range(3):
        assert claim(space)
        let_leases_run_out()
    indexing.work()
    assert not space.embedding_model.objects.filter(pk=first.pk).exists()
    assert differences(space) == []


def test_failures_go_with_their_photo(gallery: SpaceDefinition) -> None:
    item = Item.objects.create()
    photos = [
        ItemPhoto.objects.create(item=item, image=ContentFile(b"?", name="broken.jpg"))
        for _ in range(2)
    ]
    indexing.work()
    assert JOBS.filter(state="failed").count() == 2
    photos[0].delete()
    indexing.work()
    assert JOBS.filter(state="failed").count() == 1
    ItemPhoto.objects.filter(pk=photos[1].pk)._raw_delete("default")
    sweep.sweep()
    assert not JOBS.exists()


def test_a_failed_photo_moved_and_replaced_is_ready(gallery: SpaceDefinition) -> None:
    here, there = Item.objects.create(), Item.objects.create()
    photo = ItemPhoto.objects.create(item=here, image=ContentFile(b"?", name="broken.jpg"))
    indexing.work()
    photo.item, photo.image = there, upload(0.3)
    photo.save()
    indexing.work()
    assert states.count_states(gallery)["ready"] == 1
    assert not JOBS.exists()


def test_rows_deleted_by_raw_sql_leave_the_lists(space: SpaceDefinition) -> None:
    first, *_rest = make()
    indexing.work()
    Product.objects.filter(pk=first.pk)._raw_delete("default")
    sweep.sweep()
    indexing.work()
    assert differences(space) == []


def test_older_code_forgets_nothing_of_newer_code(space: SpaceDefinition) -> None:
    """A worker that still runs the old code sweeps while the new code's jobs wait."""
    make(2)
    before = JOBS.count()
    known = {s.label: s for s in spaces.all_spaces() if s.label != space.label}
    with mock.patch.object(spaces, "_spaces", known):
        sweep.sweep()
        space_rows.after_migrations(using="default")
    assert Space.objects.filter(label=space.label).exists()
    assert JOBS.count() == before


def test_vectors_restored_beside_a_fresh_imgrec(space: SpaceDefinition) -> None:
    """Their job ids are higher than any that imgrec would give for a long time."""
    product = Product.objects.create(photo=upload(0.3))
    indexing.work()
    space.embedding_model.objects.update(job_id=JOBS.count() + 10**9)
    product.photo = upload(0.8)
    product.save()
    indexing.work()
    sweep.sweep()
    indexing.work()
    assert states.count_states(space)["ready"] == 1


def test_a_space_in_trouble_does_not_keep_the_others(
    space: SpaceDefinition, caplog: pytest.LogCaptureFixture
) -> None:
    make(1)
    UuidProduct.objects.create(photo=upload(0.1))
    store = vectors.store

    def not_migrated(which: SpaceDefinition, new: Any) -> Any:
        if which is space:
            raise RuntimeError("no such table")
        return store(which, new)

    with mock.patch.object(vectors, "store", not_migrated):
        indexing.work()
    assert not JOBS.filter(space="testapp.uuidproduct.embedding").exists()
    assert f"{space.label} is left for now" in caplog.text


def test_a_resting_space_calls_nobody(space: SpaceDefinition) -> None:
    Space.objects.filter(label=space.label).update(is_active=False)
    queue(space, range(40))
    with mock.patch.object(tasks, "_send") as send:
        tasks.embed_pending()
    assert not send.called


def test_inline_waits_for_what_is_tried_again(space: SpaceDefinition) -> None:
    Product.objects.create(photo=upload(0.3))
    claims = claim(space)
    jobs.wait(
        space, claims, seconds=3600, reason=Reason.WEIGHTS_UNAVAILABLE, message="none", counts=False
    )
    call_command("imgrec_index", "testapp.Product", "--inline")
    assert states.count_states(space)["ready"] == 1


def test_a_time_limit_is_not_the_pictures_fault(space: SpaceDefinition) -> None:
    make(2)
    limit = mock.patch("imgrec.testing.ColourGrid.embed", side_effect=SoftTimeLimitExceeded)
    with limit, pytest.raises(SoftTimeLimitExceeded):
        indexing.process(space)
    assert not JOBS.filter(state="failed").exists()
    assert tasks.embed_pending.time_limit > chores.SECONDS


@pytest.mark.django_db(transaction=True)
def test_an_idle_worker_stays_idle(
    space: SpaceDefinition, start_worker: Callable[..., Worker]
) -> None:
    Space.objects.filter(label=space.label).update(is_active=False)
    queue(space, range(40))
    worker = start_worker()
    time.sleep(6)
    assert worker.log().count("succeeded") < 30
