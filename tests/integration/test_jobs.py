"""The life of a job: claimed once, retried alone, never overtaken by an older photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db.models.functions import Now
from PIL.Image import Image

from imgrec import indexing, jobs, neighbours, states, sweep
from imgrec.batches import Batch
from imgrec.claims import claim
from imgrec.errors import WeightsUnavailable
from imgrec.models import EmbeddingJob, Space
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition, space_by_label
from imgrec.testing import ColourGrid
from tests.pictures import upload
from tests.queueing import queue
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db
JOBS = EmbeddingJob.objects


@pytest.fixture
def space() -> SpaceDefinition:
    found = space_by_label("testapp.product.embedding")
    assert found is not None
    return found


def make(count: int) -> list[Product]:
    return [Product.objects.create(photo=upload(i / count)) for i in range(count)]


def broken(data: bytes = b"not a picture") -> Product:
    return Product.objects.create(photo=ContentFile(data, name="broken.jpg"))


def let_leases_run_out() -> None:
    JOBS.filter(state="leased").update(due_at=Now())


def states_of(space: SpaceDefinition) -> dict[str, int]:
    return {state: n for state, n in states.count_states(space).items() if n}


def test_saves_of_one_product_are_merged(space: SpaceDefinition) -> None:
    product = Product.objects.create(photo=upload(0.1))
    for hue in (0.2, 0.3, 0.4):
        product.photo = upload(hue)
        product.save()
    claims = claim(space)
    assert len(claims) == 1
    assert claims[0].id == max(JOBS.values_list("id", flat=True))
    assert JOBS.count() == 1


def test_a_batch_is_nobody_elses_until_its_lease_ends(space: SpaceDefinition) -> None:
    make(3)
    assert len(claim(space)) == 3
    assert claim(space) == []
    let_leases_run_out()
    assert len(claim(space)) == 1, "started before: now alone"


def test_saved_photos_overtake_a_reindex(space: SpaceDefinition, settings: Any) -> None:
    settings.IMGREC = {**settings.IMGREC, "batch_size": 1}
    first, second = make(2)
    JOBS.all().delete()
    queue(space, [first.pk], priority=10)
    queue(space, [second.pk])
    assert claim(space)[0].object_pk == str(second.pk)


def test_a_photo_that_kills_its_worker_starts_three_times(space: SpaceDefinition) -> None:
    """The others of its batch are done; it fails with a reason."""
    killer, *_others = make(5)
    starts = 0
    claims = claim(space)
    while claims:
        kills = any(c.object_pk == str(killer.pk) and c.attempts <= 3 for c in claims)
        starts += kills
        if not kills:
            Batch(space, claims).run()
        let_leases_run_out()
        claims = claim(space)
    neighbours.repair(space)
    assert starts == 3
    assert states_of(space) == {"failed": 1, "ready": 4}
    assert JOBS.get().reason == Reason.WORKER_DIED


def test_one_bad_photo_harms_no_other(space: SpaceDefinition) -> None:
    make(4)
    bad = broken()
    indexing.work()
    assert states_of(space) == {"failed": 1, "ready": 4}
    job = JOBS.get()
    assert (job.object_pk, job.reason) == (str(bad.pk), Reason.NOT_AN_IMAGE)
    assert job.message


def test_a_broken_photo_lets_go_of_the_vector_of_the_old_one(space: SpaceDefinition) -> None:
    one, *_rest = make(3)
    indexing.work()
    one.photo = ContentFile(b"nonsense", name="new.jpg")
    one.save()
    indexing.work()
    assert not space.embedding_model.objects.filter(owner=one.pk).exists()
    lists = space.list_model.objects.values_list("owner", "neighbours")
    assert all(one.pk != owner and one.pk not in ids for owner, ids in lists)
    assert states_of(space) == {"failed": 1, "ready": 2}


def test_a_good_photo_ends_the_failure(space: SpaceDefinition) -> None:
    product = broken()
    indexing.work()
    product.photo = upload(0.5)
    product.save()
    indexing.work()
    assert states_of(space) == {"ready": 1}
    assert not JOBS.exists()


def test_a_failed_photo_is_tried_again_when_asked(space: SpaceDefinition) -> None:
    product = broken()
    indexing.work()
    with product.photo.storage.open(str(product.photo.name), "wb") as file:
        file.write(upload(0.5).read())
    assert jobs.retry_failed(space) == 1
    indexing.work()
    assert states_of(space) == {"ready": 1}


def test_an_old_photo_that_fails_late_says_nothing_of_the_new_one(space: SpaceDefinition) -> None:
    product = broken()
    slow = Batch(space, claim(space))
    slow.start()
    product.photo = upload(0.6, name="new.png")
    product.save()
    fast = Batch(space, claim(space))
    slow.finish()
    fast.run()
    sweep.sweep()
    indexing.work()
    assert states_of(space) == {"ready": 1}
    assert not JOBS.exists()


def test_an_old_photo_never_overwrites_a_new_one(space: SpaceDefinition) -> None:
    """The slow worker holds the old job, and stores after the fast one stored the new photo."""
    product = Product.objects.create(photo=upload(0.1))
    slow = Batch(space, claim(space))
    product.photo = upload(0.6, name="new.png")
    product.save()
    indexing.work(only=[space])
    stored = space.embedding_model.objects.get(owner=product.pk)
    slow.run()
    again = space.embedding_model.objects.get(owner=product.pk)
    assert (again.source_name, again.job_id) == (product.photo.name, stored.job_id)


def test_a_photo_replaced_while_it_is_embedded_is_not_stored(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = Product.objects.create(photo=upload(0.1))
    embed = ColourGrid.embed

    def replaced_meanwhile(self: ColourGrid, pictures: Sequence[Image]) -> Any:
        Product.objects.filter(pk=product.pk).update(photo="other.png")
        return embed(self, pictures)

    claims = claim(space)
    monkeypatch.setattr(ColourGrid, "embed", replaced_meanwhile)
    Batch(space, claims).run()
    assert not space.embedding_model.objects.exists()
    assert not JOBS.exists(), "the sweep sees the other name and queues it"


def test_weights_that_cannot_be_had_make_jobs_wait(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(2)

    def no_weights(self: ColourGrid, pictures: Sequence[Image]) -> Any:
        raise WeightsUnavailable("Put the file at /srv/weights.")

    monkeypatch.setattr(ColourGrid, "embed", no_weights)
    for _ in range(5):
        indexing.work()
        JOBS.update(due_at=Now())
    waiting = JOBS.values_list("state", "reason", "message", "attempts").distinct().get()
    assert waiting == ("queued", "weights_unavailable", "Put the file at /srv/weights.", 0)
    monkeypatch.undo()
    indexing.work()
    assert states_of(space) == {"ready": 2}


def test_a_storage_that_is_away_is_tried_again(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(2)

    def away(self: FileSystemStorage, name: str, mode: str = "rb") -> Any:
        raise ConnectionError("no route to the bucket")

    monkeypatch.setattr(FileSystemStorage, "_open", away)
    indexing.work()
    assert set(JOBS.values_list("state", "reason")) == {("queued", "storage_error")}
    monkeypatch.undo()
    JOBS.update(due_at=Now())
    indexing.work()
    assert states_of(space) == {"ready": 2}


def test_a_missing_file_fails_with_its_reason(space: SpaceDefinition) -> None:
    Product.objects.bulk_create([Product(photo="products/never-uploaded.jpg")])
    product = Product.objects.get()
    queue(space, [product.pk])
    indexing.work()
    assert JOBS.get().reason == Reason.FILE_MISSING


def test_an_encoder_that_fails_on_one_picture(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(4)
    embed = ColourGrid.embed

    def fails_on_batches_and_reds(self: ColourGrid, pictures: Sequence[Image]) -> Any:
        rows = embed(self, pictures)
        if len(pictures) > 1 or pictures[0].getpixel((0, 0)) == (230, 23, 23):
            raise RuntimeError("boom")
        return rows

    monkeypatch.setattr(ColourGrid, "embed", fails_on_batches_and_reds)
    indexing.work()
    assert states_of(space) == {"failed": 1, "ready": 3}
    assert JOBS.get().message == "RuntimeError: boom"


def test_a_picture_without_features_is_never_stored(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(2)
    nothing = np.full((1, 49), np.nan, dtype=np.float32)
    monkeypatch.setattr(ColourGrid, "embed", lambda self, p: np.repeat(nothing, len(p), axis=0))
    indexing.work()
    assert set(JOBS.values_list("reason", flat=True)) == {Reason.NO_FEATURES}
    assert not space.embedding_model.objects.exists()


def test_same_bytes_are_not_embedded_again(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(3)
    indexing.work()
    stamps = list(space.embedding_model.objects.values_list("pk", "embedded_at"))
    queue(space, [pk for pk, _at in stamps])
    monkeypatch.setattr(ColourGrid, "embed", None)
    indexing.work()
    assert list(space.embedding_model.objects.values_list("pk", "embedded_at")) == stamps
    assert states_of(space) == {"ready": 3}


def test_a_new_version_is_served_when_all_photos_have_it(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Until then the old lists stay, whole; then one switch."""
    settings.IMGREC = {**settings.IMGREC, "batch_size": 2}
    make(6)
    indexing.work()
    old = dict(space.list_model.objects.values_list("owner", "version"))
    monkeypatch.setattr(ColourGrid, "version", "colour_grid-next")
    queue(space, old)
    indexing.process(space)
    neighbours.repair(space)
    assert dict(space.list_model.objects.values_list("owner", "version")) == old
    indexing.work()
    versions = set(space.list_model.objects.values_list("version", flat=True))
    assert versions == {"colour_grid-next"}
    assert Space.objects.get(label=space.label).served_version == "colour_grid-next"


def test_an_inactive_space_gets_no_work(space: SpaceDefinition) -> None:
    make(1)
    Space.objects.filter(label=space.label).update(is_active=False)
    indexing.work()
    assert states_of(space) == {"queued": 1}


def test_jobs_of_an_inactive_space_do_not_pile_up(space: SpaceDefinition) -> None:
    Space.objects.filter(label=space.label).update(is_active=False)
    product, _other = make(2)
    for hue in (0.2, 0.3, 0.4):
        product.photo = upload(hue)
        product.save()
    sweep.sweep()
    ours = JOBS.filter(space=space.label)
    assert sorted(ours.values_list("object_pk", flat=True)) == sorted(
        str(pk) for pk in Product.objects.values_list("pk", flat=True)
    )
