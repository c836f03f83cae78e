"""Lists of a large space: built in tiles, by whoever is free, through deaths and edits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings

from imgrec import clusters, jobs, lists, neighbours, tiles
from imgrec.models import EmbeddingJob, ListTile, Space
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.brute_force import differences, similarities
from tests.elsewhere import elsewhere
from tests.synthetic import fill
from tests.testapp.models import Item, ItemPhoto, Product
from tests.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def space(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SpaceDefinition:
    """A space whose lists are built in tiles of 64."""
    settings.IMGREC = {**settings.IMGREC, "spread_above": 0}
    monkeypatch.setattr(tiles, "ITEMS", 64)
    found = space_by_label("testapp.product.embedding")
    assert found is not None
    return found


def stock(space: SpaceDefinition, count: int, **options: Any) -> list[Product]:
    products = Product.objects.bulk_create(Product(photo=f"{i}.png") for i in range(count))
    fill(space, products, **options)
    return products


def build(space: SpaceDefinition) -> int:
    neighbours.rebuild(space)
    built = 0
    while neighbours.work(space):
        built += 1
    return built


def test_every_list_is_built_and_nothing_is_left(space: SpaceDefinition) -> None:
    stock(space, 300)
    assert neighbours.rebuild(space) == 5
    assert tiles.progress(space) == tiles.Progress(total=300, done=0)
    assert neighbours.work(space)
    assert tiles.progress(space) == tiles.Progress(total=300, done=64)
    while neighbours.work(space):
        pass
    assert differences(space) == []
    assert not ListTile.objects.exists()
    assert tiles.progress(space) == tiles.Progress(total=0, done=0)


def test_several_photos_of_a_product(space: SpaceDefinition) -> None:
    many = space_by_label("testapp.itemphoto.embedding")
    assert many is not None
    items = Item.objects.bulk_create(Item(title=str(i)) for i in range(150))
    dice = np.random.default_rng(2)
    photos = ItemPhoto.objects.bulk_create(
        ItemPhoto(item=items[dice.integers(150)], image=f"{i}.png") for i in range(400)
    )
    fill(many, photos)
    assert build(many) == 3
    assert differences(many) == []


def test_a_second_build_writes_nothing(space: SpaceDefinition) -> None:
    stock(space, 200)
    build(space)
    before = dict(space.list_model.objects.values_list("owner", "updated_at"))
    assert build(space) == 4
    assert dict(space.list_model.objects.values_list("owner", "updated_at")) == before


def test_neighbours_that_changed_places_are_written(space: SpaceDefinition) -> None:
    stock(space, 120)
    build(space)
    one = space.list_model.objects.first()
    assert one is not None
    before = one.neighbours
    one.neighbours = [before[1], before[0], *before[2:]]
    one.save()
    build(space)
    one.refresh_from_db()
    assert one.neighbours == before


def test_a_build_that_dies_goes_on_where_it_was(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(space, 300)
    neighbours.rebuild(space)
    neighbours.work(space)
    monkeypatch.setattr(lists, "write", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        neighbours.work(space)
    monkeypatch.undo()
    assert tiles.progress(space).done == 64
    assert space.list_model.objects.count() == 64
    while neighbours.work(space):
        pass
    assert differences(space) == []


def test_edits_between_tiles(space: SpaceDefinition) -> None:
    products = stock(space, 300)
    neighbours.rebuild(space)
    neighbours.work(space)
    Product.objects.filter(pk__in=[p.pk for p in products[:40]]).delete()
    more = Product.objects.bulk_create(Product(photo=f"more{i}.png") for i in range(50))
    fill(space, more, seed=7)
    jobs.mark_lists(space, [(str(p.pk), str(p.pk)) for p in [*products[:40], *more]])
    while neighbours.work(space):
        pass
    assert differences(space) == []


def test_lists_of_vectors_that_are_gone_go(space: SpaceDefinition) -> None:
    products = stock(space, 150)
    build(space)
    space.embedding_model.objects.filter(owner__in=products[:20]).delete()
    build(space)
    assert differences(space) == []
    assert space.list_model.objects.count() == 130


def test_many_marks_are_one_build(space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "BUILD_ABOVE", 100)
    products = stock(space, 260)
    jobs.mark_lists(space, [(str(p.pk), str(p.pk)) for p in products])
    assert neighbours.repair(space) == 260
    assert tiles.waiting(space) == 5
    assert not EmbeddingJob.objects.exists()


def test_a_new_version_is_searched_live_until_its_lists_are_there(space: SpaceDefinition) -> None:
    stock(space, 150)
    build(space)
    space.list_model.objects.update(version="before")
    Space.objects.filter(label=space.label).update(served_version="before")
    assert neighbours.switch_when_ready(space)
    assert Space.objects.get(label=space.label).served_version == space.embedder.version
    assert set(space.list_model.objects.values_list("version", flat=True)) == {"before"}
    while neighbours.work(space):
        pass
    assert differences(space) == []
    assert set(space.list_model.objects.values_list("version", flat=True)) == {
        space.embedder.version
    }


def test_a_build_by_clusters_is_nearly_exact(
    space: SpaceDefinition, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMGREC = {**settings.IMGREC, "exact_lists_below": 0}
    monkeypatch.setattr(clusters, "ITEMS_OF_A_CLUSTER", 40)
    monkeypatch.setattr(clusters, "PROBES", 6)
    stock(space, 2000, clusters=40)
    assert build(space) > 40
    keys, table = similarities(space)
    np.fill_diagonal(table, -1)
    tenth = np.sort(table, axis=1)[:, -10] - 1e-6
    stored = dict(space.list_model.objects.values_list("owner", "similarities"))
    assert len(stored) == 2000
    hits = [np.sum(np.array(stored[key][:10]) >= bar) for key, bar in zip(keys, tenth, strict=True)]
    assert np.mean(hits) / 10 > 0.97


@pytest.mark.django_db(transaction=True)
def test_four_workers_share_the_tiles_while_products_change(space: SpaceDefinition) -> None:
    products = stock(space, 600)
    neighbours.rebuild(space)
    built: list[int] = []

    def work() -> None:
        mine = 0
        while tiles.waiting(space):
            mine += neighbours.work(space)
        built.append(mine)

    def change() -> None:
        for some in range(0, 60, 6):
            gone = products[some : some + 6]
            keys = [str(p.pk) for p in gone]
            space.embedding_model.objects.filter(owner__in=gone).delete()
            jobs.mark_lists(space, [(key, key) for key in keys])

    with elsewhere(work), elsewhere(work), elsewhere(work), elsewhere(change):
        work()
    neighbours.repair(space)
    assert sum(built) == 10
    assert differences(space) == []


@pytest.mark.django_db(transaction=True)
def test_real_workers_build_what_was_planned(
    space: SpaceDefinition, start_worker: Callable[..., Worker]
) -> None:
    stock(space, 700)
    assert neighbours.rebuild(space) == 11
    start_worker(spread_above=0)
    start_worker(spread_above=0)
    deadline = time.monotonic() + 60
    while ListTile.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not ListTile.objects.exists()
    assert differences(space) == []
