"""A picture that stands for many products is left out, for all to see, until somebody objects."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from imgrec import doctor, indexing, looking, states, sweep
from imgrec.batches import Batch
from imgrec.claims import claim_fresh
from imgrec.models import EmbeddingJob, Placeholder
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.brute_force import differences
from tests.pictures import upload
from tests.queueing import queue
from tests.testapp.models import Item, ItemPhoto, Product

pytestmark = pytest.mark.django_db
JOBS = EmbeddingJob.objects
NO_IMAGE = 0.77


@pytest.fixture(autouse=True)
def _three_are_allowed(settings: Any) -> None:
    settings.IMGREC = {**settings.IMGREC, "placeholder_above": 3}


@pytest.fixture
def space() -> SpaceDefinition:
    found = space_by_label("testapp.product.embedding")
    assert found is not None
    return found


def make(count: int, hue: float | None = None) -> list[Product]:
    hues = [i / count / 2 if hue is None else hue for i in range(count)]
    return [Product.objects.create(photo=upload(each)) for each in hues]


def states_of(space: SpaceDefinition) -> dict[str, int]:
    return {state: n for state, n in states.count_states(space).items() if n}


def examined(space: SpaceDefinition) -> dict[str, Any]:
    return doctor.examine_space(space)


def placeholders(*args: str) -> str:
    out = StringIO()
    call_command("imgrec_placeholders", *args, stdout=out)
    return out.getvalue()


def test_a_picture_of_many_products_is_left_out(space: SpaceDefinition) -> None:
    make(5)
    same = make(4, NO_IMAGE)
    indexing.work()
    assert states_of(space) == {"excluded": 4, "ready": 5}
    keys = [product.pk for product in same]
    assert not space.embedding_model.objects.filter(pk__in=keys).exists()
    assert not space.list_model.objects.filter(owner__in=keys).exists()
    assert differences(space) == []


def test_a_picture_of_a_few_products_is_a_photo(space: SpaceDefinition) -> None:
    make(3, NO_IMAGE)
    indexing.work()
    assert states_of(space) == {"ready": 3}


def test_it_is_found_out_late_and_from_then_on_not_decoded(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(3, NO_IMAGE)
    make(2)
    indexing.work()
    make(1, NO_IMAGE)
    indexing.work()
    assert states_of(space) == {"excluded": 4, "ready": 2}
    assert differences(space) == []
    monkeypatch.setattr(looking, "decode", None)
    make(2, NO_IMAGE)
    indexing.work()
    assert states_of(space) == {"excluded": 6, "ready": 2}


def test_two_workers_that_store_some_each_find_it(space: SpaceDefinition) -> None:
    make(4, NO_IMAGE)
    both = [Batch(space, claim_fresh(space, 2)) for _each in range(2)]
    for batch in both:
        batch.start()
    for batch in both:
        batch.finish()
    indexing.work()
    assert states_of(space) == {"excluded": 4}


def test_many_photos_of_one_product_are_no_placeholder() -> None:
    gallery = space_by_label("testapp.itemphoto.embedding")
    assert gallery is not None
    items = [Item.objects.create() for _each in range(4)]
    for _each in range(6):
        ItemPhoto.objects.create(item=items[0], image=upload(NO_IMAGE))
    indexing.work()
    assert states_of(gallery) == {"ready": 6}
    for item in items[1:]:
        ItemPhoto.objects.create(item=item, image=upload(NO_IMAGE))
    indexing.work()
    assert states_of(gallery) == {"excluded": 9}


def test_a_photo_of_its_own_ends_it(space: SpaceDefinition) -> None:
    first, *_others = make(4, NO_IMAGE)
    indexing.work()
    first.photo = upload(0.2)
    first.save()
    indexing.work()
    assert states_of(space) == {"excluded": 3, "ready": 1}
    first.photo = upload(NO_IMAGE)
    first.save()
    indexing.work()
    assert states_of(space) == {"excluded": 4}
    assert not space.embedding_model.objects.exists()


def test_the_sweep_leaves_it_alone_until_the_photo_changes(space: SpaceDefinition) -> None:
    first, second, *_others = make(4, NO_IMAGE)
    other = make(1)[0]
    indexing.work()
    assert sweep.sweep() == 0
    Product.objects.filter(pk=first.pk).update(photo=other.photo.name)
    Product.objects.filter(pk=second.pk).update(photo="")
    assert sweep.sweep() == 1
    indexing.work()
    assert states_of(space) == {"no_photo": 1, "excluded": 2, "ready": 2}


def test_everything_again_finds_the_same(space: SpaceDefinition) -> None:
    products = [*make(4, NO_IMAGE), *make(3)]
    indexing.work()
    before = set(JOBS.values_list("object_pk", "state", "sha256", "source_name"))
    queue(space, [product.pk for product in products])
    indexing.work()
    assert set(JOBS.values_list("object_pk", "state", "sha256", "source_name")) == before
    assert states_of(space) == {"excluded": 4, "ready": 3}


def test_it_can_be_overruled_and_back(space: SpaceDefinition) -> None:
    make(4, NO_IMAGE)
    indexing.work()
    digest = Placeholder.objects.get().sha256
    assert placeholders("--use", digest[:12]) == f"{space.label}: 4 photos queued\n"
    indexing.work()
    assert states_of(space) == {"ready": 4}
    make(2, NO_IMAGE)
    indexing.work()
    assert states_of(space) == {"ready": 6}
    assert "used" in placeholders("testapp.Product")
    assert placeholders("--leave-out", digest) == f"{space.label}: 6 photos queued\n"
    indexing.work()
    assert states_of(space) == {"excluded": 6}
    assert f"{digest[:12]}  left out  6 photos" in placeholders()


def test_the_setting_decides_at_the_next_index(space: SpaceDefinition, settings: Any) -> None:
    products = make(4, NO_IMAGE)
    indexing.work()
    for above, state in ((10, "ready"), (2, "excluded"), (0, "ready")):
        settings.IMGREC = {**settings.IMGREC, "placeholder_above": above}
        queue(space, [product.pk for product in products])
        indexing.work()
        assert states_of(space) == {state: 4}


def test_the_doctor_shows_it_and_does_not_complain(space: SpaceDefinition) -> None:
    make(4, NO_IMAGE)
    make(2)
    indexing.work()
    found = examined(space)
    # what other tests left of the indexes is none of these photos' business
    assert [each for each in found["problems"] if "the index" not in each] == []
    assert sum(found["states"].values()) == found["rows"] == 6
    assert found["waiting"] == 0
    (only,) = found["placeholders"]
    assert (only["photos"], only["allowed"]) == (4, False)
    out = StringIO()
    with pytest.raises(CommandError):  # the demo shop's encoders have no weights here
        call_command("imgrec_doctor", stdout=out)
    assert f"placeholder {only['sha256'][:12]}" in out.getvalue()
    assert "left out 4 times" in out.getvalue()


def test_index_says_how_many(space: SpaceDefinition) -> None:
    make(4, NO_IMAGE)
    out = StringIO()
    call_command("imgrec_index", space.label, "--inline", stdout=out)
    assert "4 done, 0 failed, 4 excluded" in out.getvalue()


def test_what_is_no_placeholder_cannot_be_decided_upon() -> None:
    assert "No picture" in placeholders()
    with pytest.raises(CommandError, match="No placeholder begins with 'abc'"):
        placeholders("--use", "abc")
