"""Whatever happens to the photos, by however many workers: stored lists equal brute force."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import numpy as np
import pytest
from django.core.files.base import ContentFile
from PIL import Image

from imgrec import indexing, neighbours
from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.brute_force import differences
from tests.pictures import png, upload
from tests.queueing import queue
from tests.testapp.models import Item, ItemPhoto, Product
from tests.worker import Worker


@pytest.fixture
def space() -> SpaceDefinition:
    found = space_by_label("testapp.product.embedding")
    assert found is not None
    return found


def noisy(seed: int, *, spread: int = 12) -> ContentFile[bytes]:
    """Return a picture near one and the same grey, so that all photos are near-identical."""
    noise = np.random.default_rng(seed).integers(120 - spread, 120 + spread, (8, 8, 3))
    return ContentFile(png(Image.fromarray(noise.astype(np.uint8))), name=f"{seed}.png")


def add(numbers: range) -> None:
    for number in numbers:
        Product.objects.create(photo=noisy(number))


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 2, 96, 97, 98, 130])
def test_lists_of_a_catalogue_that_grows_in_batches(space: SpaceDefinition, count: int) -> None:
    add(range(count))
    indexing.work()
    assert differences(space) == []
    assert Product.objects.count() == space.list_model.objects.count() == count


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [0, *(pytest.param(i, marks=pytest.mark.full) for i in (1, 2))])
def test_random_edits_one_repair_at_a_time(space: SpaceDefinition, seed: int) -> None:
    dice = random.Random(seed)
    add(range(150))
    indexing.work()
    number = 1000 * (seed + 1)
    for _round in range(12):
        products = list(Product.objects.all())
        for product in dice.sample(products, 14):
            number += 1
            what = dice.choice(["change", "clear", "delete", "add"])
            if what == "add":
                Product.objects.create(photo=noisy(number))
            elif what == "delete":
                product.delete()
            else:
                product.photo = noisy(number) if what == "change" else ""
                product.save()
        indexing.work()
        assert differences(space) == []


@pytest.mark.django_db
def test_shrunken_lists_are_refilled(space: SpaceDefinition) -> None:
    add(range(180))
    indexing.work()
    doomed = list(Product.objects.order_by("?")[:72])
    while doomed:
        for product in doomed[:6]:
            product.delete()
        doomed = doomed[6:]
        indexing.work()
        assert differences(space) == []


@pytest.mark.django_db
@pytest.mark.parametrize("first", [1, 3])
def test_lists_that_held_everybody_take_in_who_comes(space: SpaceDefinition, first: int) -> None:
    """A few of one kind, then many of another at once: none of them is as alike as the last."""
    for number in range(first):
        Product.objects.create(photo=upload(0.0, shade=number / 20))
    indexing.work()
    for number in range(120):
        Product.objects.create(photo=upload(0.5 + number / 1000, shade=number % 7 / 20))
    indexing.work()
    assert differences(space) == []
    assert min(map(len, space.list_model.objects.values_list("neighbours", flat=True))) >= 64


@pytest.mark.django_db
def test_items_with_many_photos_moving_between_them() -> None:
    space = space_by_label("testapp.itemphoto.embedding")
    assert space is not None
    dice = random.Random(5)
    items = [Item.objects.create(title=str(i)) for i in range(110)]
    for number in range(240):
        ItemPhoto.objects.create(item=dice.choice(items), image=noisy(number))
    indexing.work()
    assert differences(space) == []
    for photo in dice.sample(list(ItemPhoto.objects.all()), 30):
        photo.item = dice.choice(items)
        photo.save()
    for photo in dice.sample(list(ItemPhoto.objects.all()), 20):
        photo.delete()
    indexing.work()
    assert differences(space) == []


@pytest.mark.django_db
def test_repairing_again_writes_nothing(space: SpaceDefinition) -> None:
    add(range(120))
    indexing.work()
    before = dict(space.list_model.objects.values_list("owner", "updated_at"))
    queue(space, Product.objects.values_list("pk", flat=True))
    indexing.work()
    assert neighbours.rebuild(space) == 0
    assert dict(space.list_model.objects.values_list("owner", "updated_at")) == before


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_on_near_identical_photos(
    space: SpaceDefinition, start_worker: Callable[..., Worker]
) -> None:
    """500 photos each: from one worker's uncommitted rows the other would compute wrong lists."""
    first, second = start_worker(batch_size=16), start_worker(batch_size=16)
    add(range(1000))
    deadline = time.monotonic() + 120
    while EmbeddingJob.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not EmbeddingJob.objects.exists()
    assert space.embedding_model.objects.count() == 1000
    assert differences(space) == []
    assert first.is_running()
    assert second.is_running()
