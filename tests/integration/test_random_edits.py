"""Photos added, changed and removed at random: after any of it stored lists equal brute force."""

from __future__ import annotations

import random
import threading

import numpy as np
import pytest
from django.db import connection

from imgrec import jobs, neighbours
from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.brute_force import differences
from tests.elsewhere import elsewhere
from tests.synthetic import fill
from tests.testapp.models import Product


class Shop:
    """Edits vectors as batches do, and leaves the marks in another order than the edits."""

    def __init__(self, space: SpaceDefinition, seed: int, count: int) -> None:
        self.space = space
        self.dice = random.Random(seed)
        self.noise = np.random.default_rng(seed)
        self.edits = 0
        self.products = Product.objects.bulk_create(Product(photo=str(i)) for i in range(count))
        fill(space, self.products, seed=seed, clusters=8)
        neighbours.rebuild(space)
        self.vectors = dict(space.embedding_model.objects.values_list("owner", "vector"))

    def edit(self, count: int) -> None:
        """Change, remove and add about a third each; now and then twins of another product."""
        kinds = [self.dice.choice(["change", "remove", "add"]) for _ in range(count)]
        present = self.dice.sample(
            sorted(self.vectors), kinds.count("change") + kinds.count("remove")
        )
        removed = present[: kinds.count("remove")]
        changed = present[kinds.count("remove") :]
        added = Product.objects.bulk_create(Product(photo="new") for _ in range(kinds.count("add")))
        self.space.embedding_model.objects.filter(owner__in=removed).delete()
        for key in removed:
            del self.vectors[key]
        for key in changed:
            self.vectors[key] = self._another()
            self.space.embedding_model.objects.filter(owner=key).update(vector=self.vectors[key])
        fill(self.space, added)
        for product in added:
            self.vectors[product.pk] = self._another()
            rows = self.space.embedding_model.objects.filter(owner=product)
            rows.update(vector=self.vectors[product.pk])
        marks = [*removed, *changed, *(product.pk for product in added)]
        self.dice.shuffle(marks)
        jobs.mark_lists(self.space, [(str(key), str(key)) for key in marks])
        self.edits += count

    def _another(self) -> list[float]:
        like = np.asarray(self.vectors[self.dice.choice(sorted(self.vectors))])
        spread = self.dice.choice([0.0, 0.02, 0.1])
        vector = like + spread * self.noise.normal(size=like.shape)
        return (vector / np.linalg.norm(vector)).tolist()


@pytest.fixture
def space() -> SpaceDefinition:
    found = space_by_label("testapp.product.embedding")
    assert found is not None
    return found


def two_workers_at_once(space: SpaceDefinition, shop: Shop, edits: int) -> None:
    """Edit while two others repair, until all is done."""
    ended = threading.Event()

    def repair() -> None:
        while not ended.is_set():
            neighbours.repair(space)

    with elsewhere(repair), elsewhere(repair):
        try:
            while shop.edits < edits:
                shop.edit(shop.dice.choice([1, 2, 8, 30]))
        finally:
            ended.set()
    neighbours.repair(space)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [11, 12])
def test_one_batch_after_the_other(space: SpaceDefinition, seed: int) -> None:
    shop = Shop(space, seed, 500)
    while shop.edits < 150:
        shop.edit(shop.dice.choice([1, 5, 40]))
        neighbours.repair(space)
        assert differences(space) == []


@pytest.mark.django_db(transaction=True)
def test_two_workers(space: SpaceDefinition) -> None:
    shop = Shop(space, 5, 500)
    two_workers_at_once(space, shop, 300)
    assert differences(space) == []
    assert not EmbeddingJob.objects.exists()


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.django_db(transaction=True)
def test_ten_thousand_edits_by_two_workers(space: SpaceDefinition) -> None:
    edits = 0
    for seed, count in enumerate([500, 1000, 1500, 2000]):
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE testapp_product CASCADE")
        space.embedding_model.objects.all().delete()
        space.list_model.objects.all().delete()
        shop = Shop(space, seed, count)
        for _check in range(10):
            two_workers_at_once(space, shop, shop.edits + 250)
            assert differences(space) == []
        edits += shop.edits
    assert edits >= 10_000
