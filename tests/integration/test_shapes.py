"""One behaviour, over every shape of shop: from a saved photo to a list and back."""

from __future__ import annotations

from typing import Any

import pytest

from imgrec import SimilarityQuerySet, indexing, similar_products, sweep
from imgrec.models import EmbeddingJob
from tests.shapes import SHAPES, Shape

pytestmark = pytest.mark.django_db


@pytest.fixture(params=SHAPES, ids=lambda shape: shape.name)
def shape(request: pytest.FixtureRequest) -> Shape:
    """Every shape in turn."""
    found: Shape = request.param
    return found


@pytest.fixture
def shop(shape: Shape) -> dict[str, Any]:
    """Two reds, two greens and a blue, indexed."""
    items = {
        "red": shape.make(0.0),
        "scarlet": shape.make(0.02),
        "green": shape.make(0.33),
        "lime": shape.make(0.31),
        "blue": shape.make(0.66),
    }
    indexing.work()
    return items


def names(shop: dict[str, Any], seed: str, **options: Any) -> list[str]:
    """Return the names of the products similar to ``seed``."""
    by_key = {item.pk: name for name, item in shop.items()}
    return [by_key[each.pk] for each in similar_products(shop[seed], **options)]


def test_a_saved_photo_gets_its_look_alikes(shop: dict[str, Any]) -> None:
    assert names(shop, "red")[0] == "scarlet"
    assert names(shop, "lime")[0] == "green"
    assert len(names(shop, "blue")) == 4
    assert not EmbeddingJob.objects.exists()


def test_never_the_product_itself(shop: dict[str, Any]) -> None:
    for name in shop:
        assert name not in names(shop, name)


def test_similarity_is_a_cosine_and_falls(shop: dict[str, Any]) -> None:
    found = [each.similarity for each in similar_products(shop["red"])]
    assert found == sorted(found, reverse=True)
    assert all(0 <= value <= 1 for value in found)
    assert found[0] > 0.9


def test_a_changed_photo_changes_its_list_and_the_others(
    shape: Shape, shop: dict[str, Any]
) -> None:
    shape.change_photo(shop["blue"], 0.01)
    indexing.work()
    assert set(names(shop, "blue", limit=2)) == {"red", "scarlet"}
    assert "blue" in names(shop, "red", limit=2)


def test_a_cleared_photo_leaves_every_list(shape: Shape, shop: dict[str, Any]) -> None:
    shape.change_photo(shop["scarlet"], None)
    indexing.work()
    assert "scarlet" not in names(shop, "red")
    assert names(shop, "scarlet") == []


def test_a_deleted_product_leaves_every_list(shape: Shape, shop: dict[str, Any]) -> None:
    gone = shop.pop("scarlet")
    key = gone.pk
    gone.delete()
    indexing.work()
    assert len(names(shop, "red")) == 3
    stored = shape.space.list_model.objects.values_list("owner", "neighbours")
    assert all(key != owner and key not in neighbours for owner, neighbours in stored)
    assert len(stored) == 4


def test_an_untouched_photo_costs_no_statement(
    shape: Shape, shop: dict[str, Any], django_assert_num_queries: Any
) -> None:
    owner = shape.owner(shop["red"])
    if shape.photo is None:
        owner.stock = 7
    expected = 2 if shape.name == "multi-table child" else 1
    with django_assert_num_queries(expected):
        owner.save()


def test_hidden_and_sold_out_products_go_at_once(shape: Shape, shop: dict[str, Any]) -> None:
    type(shop["scarlet"]).objects.filter(pk=shop["scarlet"].pk).update(published=False)
    type(shop["green"]).objects.filter(pk=shop["green"].pk).update(stock=0)
    assert set(names(shop, "red")) == {"lime", "blue"}
    assert set(names(shop, "green")) == {"red", "lime", "blue"}, "a sold-out seed has a list"
    assert names(shop, "scarlet") == [], "a hidden seed has none"


def test_the_queryset_agrees_with_the_lists(shape: Shape, shop: dict[str, Any]) -> None:
    found = list(SimilarityQuerySet(shape.item).similar_to(shop["red"])[:3])
    listed = similar_products(shop["red"], limit=3)
    assert [each.pk for each in found] == [each.pk for each in listed]
    assert [each.similarity for each in found] == pytest.approx(
        [each.similarity for each in listed], abs=1e-3
    )


def test_bulk_create_and_update_are_found_by_the_sweep(shape: Shape, shop: dict[str, Any]) -> None:
    model = shape.photo or shape.item
    source = shape.space.source
    blue, red = shape.owner(shop["blue"]), shape.owner(shop["red"])
    model.objects.filter(pk=blue.pk).update(**{source: getattr(red, source).name})
    assert not EmbeddingJob.objects.exists()
    assert sweep.sweep() > 0
    indexing.work()
    assert "blue" in names(shop, "red", limit=1)
    assert sweep.sweep() == 0
