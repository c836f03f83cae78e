"""``imgrec_recall``: its numbers are those of a brute force of the test's own."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import Settings

from imgrec import index_facts, lists, recall, truth
from imgrec.models import Space
from imgrec.recall import Trial
from imgrec.results import SimilarProducts
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.synthetic import fill
from tests.testapp.models import Item, ItemPhoto, Product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_index")]
LABEL = "testapp.product.embedding"
COUNT = 1500


@pytest.fixture
def space(settings: Settings) -> SpaceDefinition:
    """The ordinary space, where a hundred products are enough for the index."""
    settings.IMGREC = {**settings.IMGREC, "exact_below": 100, "ef_search": 2}
    found = space_by_label(LABEL)
    assert found is not None
    return found


@pytest.fixture
def shop(space: SpaceDefinition) -> tuple[list[Product], Any]:
    """Products in three price classes, one of them hidden, and their vectors."""
    products = Product.objects.bulk_create(
        Product(photo=f"{i}.png", price=i % 3, published=i != 7) for i in range(COUNT)
    )
    vectors = fill(space, products)
    index = index_facts.index_of(space, "hnsw").name
    with connection.cursor() as cursor:  # a poor graph misses some, in so small a shop, too
        cursor.execute(f"DROP INDEX {index}")
        cursor.execute(
            f"CREATE INDEX {index} ON {space.embedding_model._meta.db_table} "
            "USING hnsw (vector halfvec_cosine_ops) WITH (m = 4, ef_construction = 8)"
        )
    return products, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def told(*args: str) -> dict[str, Any]:
    out = StringIO()
    call_command("imgrec_recall", LABEL, "--json", *args, stdout=out)
    (found,) = json.loads(out.getvalue())["spaces"]
    return dict(found)


def brute_force(vectors: Any, place: int, allowed: list[int], k: int) -> set[int]:
    """Return the places of the k nearest that are allowed."""
    order = np.argsort(-(vectors @ vectors[place]), kind="stable")
    return {int(i) for i in [i for i in order if i in set(allowed) and i != place][:k]}


def share(vectors: Any, place: int, allowed: list[int], found: list[int]) -> float:
    """Return how many of the ten nearest were found; who ties with the last is as good."""
    cosines = vectors @ vectors[place]
    last = min(cosines[list(brute_force(vectors, place, allowed, 10))]) - truth.TIE
    return float((cosines[found] >= last).sum()) / 10


class Noting(Trial):
    """Keeps what its searches find: how PostgreSQL plans one may change from call to call."""

    def _find(self, key: Any) -> SimilarProducts:
        found = super()._find(key)
        self.found = {**getattr(self, "found", {}), key: [product.pk for product in found]}
        return found


def test_recall_of_the_index_is_what_brute_force_says(
    space: SpaceDefinition, shop: tuple[list[Product], Any]
) -> None:
    products, vectors = shop
    keys = recall.seeds(space, 40)
    trial = Noting(space, keys=keys)
    measured = trial.measure(2)
    place = {product.pk: i for i, product in enumerate(products)}
    allowed = [i for i in range(COUNT) if i != 7]
    shares = [
        share(vectors, place[key], allowed, [place[pk] for pk in found])
        for key, found in trial.found.items()
    ]
    assert measured.recall == pytest.approx(np.mean(shares))
    assert measured.worst == pytest.approx(min(shares))
    assert measured.ways == {"hnsw": 40}
    assert 0 < measured.p50_ms <= measured.p95_ms
    assert measured.recall < trial.measure(400).recall


def test_truth_is_brute_force(space: SpaceDefinition, shop: tuple[list[Product], Any]) -> None:
    products, vectors = shop
    cheap = [i for i in range(COUNT) if i % 3 == 0]
    keys = [products[i].pk for i in (0, 1, 500)]
    with transaction.atomic():
        found = truth.nearest(
            space, space.embedder.version, keys, 12, among={products[i].pk for i in cheap}
        )
    for i in (0, 1, 500):
        true = brute_force(vectors, i, cheap, 12)
        nearest = found[products[i].pk]
        assert set(nearest.items) == {products[j].pk for j in true}
        assert nearest.similarities == sorted(nearest.similarities, reverse=True)
        assert nearest.similarities == pytest.approx(
            sorted((vectors[sorted(true)] @ vectors[i]).tolist(), reverse=True), abs=1e-6
        )


def test_truth_takes_the_best_pair_of_photos() -> None:
    space = space_by_label("testapp.itemphoto.embedding")
    assert space is not None
    items = Item.objects.bulk_create(Item() for _ in range(60))
    photos = ItemPhoto.objects.bulk_create(
        ItemPhoto(item=items[i % 60], image=f"{i}.png") for i in range(200)
    )
    vectors = fill(space, photos)
    pairs = np.full((60, 60), -2.0)
    of_item = [i % 60 for i in range(200)]
    for a, row in enumerate(vectors @ vectors.T):
        for b, value in enumerate(row):
            pairs[of_item[a], of_item[b]] = max(pairs[of_item[a], of_item[b]], value)
    np.fill_diagonal(pairs, -3.0)
    keys = [item.pk for item in items]
    with transaction.atomic():
        found = truth.nearest(space, space.embedder.version, keys, 5)
        first = truth.nearest(space, space.embedder.version, keys, 5, photos=1)
    for i, item in enumerate(items):
        true = [items[j].pk for j in np.argsort(-pairs[i])[:5]]
        assert found[item.pk].items == true
    assert any(found[key].items != first[key].items for key in keys)
    assert Trial(space, keys=keys[:10], k=5).measure(40).recall == 1.0


def test_a_tie_with_the_last_one_is_as_good() -> None:
    nearest = truth.Nearest([1, 2, 3], [0.9, 0.8, 0.8])
    assert nearest.share([(1, 0.9), (9, 0.8)], 2) == 1.0
    assert nearest.share([(1, 0.9), (9, 0.7)], 2) == 0.5
    assert nearest.share([(1, 0.9), (1, 0.9)], 2) == 0.5
    assert nearest.share([], 5) == 0.0
    assert truth.Nearest([], []).share([], 5) == 1.0


def test_filters_and_the_way_they_are_searched(shop: tuple[list[Product], Any]) -> None:
    found = told(
        "--queries", "15", "--ef-search", "1", "400", "--filter", "price=1",
        "--filter", "price__in=1,2", "published=True", "--filter", "photo__startswith=80",
    )  # fmt: skip
    third, two_thirds, few = found["filters"]
    assert (third["eligible"], two_thirds["eligible"], few["eligible"]) == (499, 999, 11)
    assert two_thirds["filter"] == "price__in=1,2 published=True"
    assert [each["ef_search"] for each in third["searches"]] == [1, 400]
    assert all(each["ways"] == {"hnsw": 15} for each in third["searches"])
    assert all(each["ways"] == {"exact": 15} for each in few["searches"])
    assert all((each["recall"], each["short"]) == (1.0, 0) for each in few["searches"])


def test_the_plan_names_the_index(space: SpaceDefinition, shop: tuple[list[Product], Any]) -> None:
    (found,) = told("--queries", "2", "--ef-search", "10")["filters"]
    assert f"Index Scan using {index_facts.index_of(space, 'hnsw').name}" in found["plan"]
    assert "(never executed)" in found["plan"], "the exact way was not taken"


def test_the_same_products_are_drawn_again(
    space: SpaceDefinition, shop: tuple[list[Product], Any]
) -> None:
    products, _vectors = shop
    drawn = recall.seeds(space, 50)
    assert drawn == recall.seeds(space, 50)
    assert drawn != recall.seeds(space, 50, seed=1)
    assert products[7].pk not in recall.seeds(space, COUNT)
    assert len(recall.seeds(space, COUNT)) == COUNT - 1


def test_stored_lists(space: SpaceDefinition, shop: tuple[list[Product], Any]) -> None:
    lists.build_all(space, space.embedder.version)
    assert told("--queries", "20", "--ef-search", "2", "--lists")["lists"]["recall"] == 1.0
    keys = recall.seeds(space, 20)
    spoilt, gone = space.list_model.objects.filter(owner__in=keys[:2])
    spoilt.similarities[0], spoilt.neighbours[0] = 0.0, spoilt.owner_id
    spoilt.save()
    gone.delete()
    found = recall.of_lists(space, keys, 64)
    assert (found.lists, found.missing) == (19, 1)
    assert found.recall == pytest.approx((18 + 0.9) / 20)
    assert found.recall_whole == pytest.approx((18 + 63 / 64) / 20)


def test_the_smallest_ef_search_that_reaches_a_target(
    space: SpaceDefinition, shop: tuple[list[Product], Any]
) -> None:
    found = told("--queries", "30", "--ef-search", "2", "--target", "0.98", "--save")
    chosen = found["chosen"]
    trial = Trial(space, keys=recall.seeds(space, 30))
    assert trial.measure(chosen["ef_search"]).recall == pytest.approx(chosen["recall"], abs=0.01)
    assert chosen["recall"] >= 0.98 > trial.measure(2).recall
    row = Space.objects.get(label=LABEL)
    assert (row.ef_search, row.recall) == (chosen["ef_search"], chosen["recall"])
    assert row.recall_measured_at is not None


def test_no_less_is_chosen_than_pgvectors_default(shop: tuple[list[Product], Any]) -> None:
    found = told("--queries", "10", "--ef-search", "2", "--target", "0.1")
    assert found["chosen"]["ef_search"] == recall.LEAST_CHOSEN


def test_a_target_is_saved_only_when_asked(shop: tuple[list[Product], Any]) -> None:
    assert told("--queries", "5", "--ef-search", "2", "--target", "0.5")["saved"] is False
    assert Space.objects.get(label=LABEL).ef_search is None


def test_a_target_out_of_reach(
    shop: tuple[list[Product], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recall, "MOST_EF", 1)
    monkeypatch.setattr(recall, "LEAST_CHOSEN", 1)
    with pytest.raises(CommandError, match="is not reached with ef_search 1"):
        told("--queries", "40", "--ef-search", "1", "--target", "1.0")


def test_where_every_search_is_exact_there_is_nothing_to_choose(
    shop: tuple[list[Product], Any],
) -> None:
    with pytest.raises(CommandError, match="every search is exact"):
        told("--queries", "5", "--target", "0.9", "--filter", "photo__startswith=80")


def test_people_get_a_table(shop: tuple[list[Product], Any]) -> None:
    out = StringIO()
    arguments = ["--queries", "5", "--ef-search", "50", "--lists", "--target", "0.5"]
    call_command("imgrec_recall", LABEL, *arguments, stdout=out)
    text = out.getvalue()
    assert f"{LABEL}: 5 searches, recall@10 against exact" in text
    assert f"no filter: {COUNT - 1} products to choose from" in text
    assert "hnsw 5" in text
    assert "Index Scan using" in text
    assert "5 missing of 5" in text
    assert "--save has live searches use it" in text


def test_a_shop_without_vectors(space: SpaceDefinition) -> None:
    found = told("--target", "0.9")
    assert (found["queries"], found["filters"]) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--filter", "colour=3"], "--filter colour=3: Cannot resolve keyword 'colour'"),
        (["--filter", "price=cheap"], "--filter price=cheap"),
        (["--filter", "price"], "write it as field=value"),
        (["--ef-search", "0"], "--ef-search: 1 to 1000"),
        (["-k", "0"], "1 or more"),
        (["--target", "1.5"], "--target: more than 0"),
        (["--save"], "--save needs --target"),
        (["--save", "--target", "0.9", "-k", "5"], "keeps recall@10"),
    ],
)
def test_arguments_that_cannot_be(
    shop: tuple[list[Product], Any], arguments: list[str], says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        told(*arguments)
