"""Products of a multi-table child whose primary key is not its parent's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, models
from django.db.models import Q
from django.test.utils import isolate_apps
from pytest_django import Settings

from imgrec import SimilarityQuerySet, indexing, similar_products
from imgrec.spaces import all_spaces
from tests.pictures import upload
from tests.testapp.models import Artwork, Item, ItemPhoto, Product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_index")]
HUES = [0.0, 0.02, 0.31, 0.33, 0.66]
WAYS = ["list", "exact", "hnsw"]


def child_of(parent: type[models.Model]) -> Any:
    """Make a child model with a text for a primary key, and its table."""
    with isolate_apps("tests.testapp"):

        class Gift(parent):  # type: ignore[misc, valid-type]
            code = models.CharField(max_length=20, primary_key=True)
            parent_row = models.OneToOneField(
                parent, models.CASCADE, parent_link=True, related_name="+"
            )

            class Meta:
                app_label = "testapp"

    with connection.schema_editor() as editor:
        editor.create_model(Gift)
    return Gift


def as_children(gift: Any, rows: list[Any]) -> list[Any]:
    """Give each row a child of its own, with a code that is another row's key."""
    for row, other in zip(rows, [*rows[1:], rows[0]], strict=True):
        gift(parent_row=row, code=str(other.pk)).save_base(raw=True)
    return [gift.objects.get(id=row.pk) for row in rows]


@pytest.fixture
def gifts() -> list[Any]:
    """Two reds, two greens and a blue, indexed as products."""
    gift = child_of(Product)
    rows = [Product.objects.create(photo=upload(hue)) for hue in HUES]
    indexing.work()
    return as_children(gift, rows)


@pytest.fixture(params=WAYS)
def only_way(request: pytest.FixtureRequest, settings: Settings) -> Callable[[str], None]:
    """Leave only one way to find products."""

    def leave(label: str) -> None:
        space = next(each for each in all_spaces() if each.label == label)
        if request.param != "list":
            space.list_model.objects.all().delete()
        if request.param == "hnsw":
            settings.IMGREC = {**settings.IMGREC, "exact_below": 1}

    return leave


def test_a_child_is_a_seed_and_a_result(gifts: list[Any], only_way: Callable[[str], None]) -> None:
    only_way("testapp.product.embedding")
    plain = similar_products(Product.objects.get(pk=gifts[0].id))
    for among in (None, type(gifts[0]).objects.all()):
        found = similar_products(gifts[0], among=among)
        assert [each.id for each in found] == [each.pk for each in plain]
        assert [each.similarity for each in found] == [each.similarity for each in plain]
    assert len(plain) == len(gifts) - 1


def test_a_child_in_a_queryset(gifts: list[Any]) -> None:
    expected = [each.pk for each in similar_products(Product.objects.get(pk=gifts[0].id))]
    assert [each.id for each in Product.objects.similar_to(gifts[0])] == expected
    children = SimilarityQuerySet(type(gifts[0])).similar_to(gifts[0])
    assert [each.id for each in children] == expected


@pytest.mark.parametrize("rule", [Q(pk__gt=0), Q(tags__isnull=True)])
def test_rules_are_about_the_parent(
    gifts: list[Any], monkeypatch: pytest.MonkeyPatch, rule: Q
) -> None:
    space = next(s for s in all_spaces() if s.label == "testapp.product.embedding")
    monkeypatch.setitem(space.__dict__, "visible", rule)
    found = similar_products(gifts[0], among=type(gifts[0]).objects.all())
    assert len(found) == len(gifts) - 1


def test_a_child_of_an_item_with_many_photos(only_way: Callable[[str], None]) -> None:
    gift = child_of(Item)
    items = [Item.objects.create() for _ in HUES]
    photos = [
        ItemPhoto.objects.create(item=item, image=upload(hue))
        for item, hue in zip(items, HUES, strict=True)
    ]
    indexing.work()
    gifts = as_children(gift, items)
    only_way("testapp.itemphoto.embedding")
    found = similar_products(gifts[0], among=gift.objects.all())
    assert found[0].id == items[1].pk
    assert (found[0].seed_photo, found[0].matched_photo) == (photos[0].pk, photos[1].pk)
    queried = SimilarityQuerySet(gift).similar_to(gifts[0])
    assert {each.id for each in queried} == {each.id for each in found}
    assert len(found) == len(items) - 1


def test_a_seed_of_another_model_is_refused() -> None:
    space = next(s for s in all_spaces() if s.label == "testapp.product.embedding")
    for seed in (Item(pk=1), Artwork(pk=1)):
        with pytest.raises(ValueError, match=r"testapp\.Product"):
            Product.objects.similar_to(seed)
        with pytest.raises(ValueError, match=r"testapp\.Product"):
            similar_products(seed, space=space)


def test_short_lists_of_a_shop_that_refills_early_are_no_whole_truth(settings: Settings) -> None:
    """A list as long as lists may be is cut, whatever ``refill_below`` says."""
    settings.IMGREC = {**settings.IMGREC, "stored_neighbours": 2, "refill_below": 64}
    made = [Product.objects.create(photo=upload(hue)) for hue in HUES]
    indexing.work()
    found = similar_products(made[0], limit=4)
    assert (len(found), found.way) == (4, "exact")
