"""Why two products are similar, and more like a part: exact, and nothing of what is hidden."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from PIL import Image
from pytest_django import Settings

from imgrec import explain, indexing, map_cache, photo_queries, similar_to_part, similar_to_photo
from imgrec.embedders.protocol import Staged
from imgrec.errors import NoFeatureMap, PhotoSearchUnavailable, PictureError
from imgrec.spaces import space_by_label
from tests.pictures import png, upload
from tests.shapes import SHAPES, Shape
from tests.steering import rule
from tests.testapp.models import Item, ItemPhoto, Product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("a_worker")]

WHOLE = (0.0, 0.0, 1.0, 1.0)
ASKED: list[str] = []


@pytest.fixture
def a_worker(monkeypatch: pytest.MonkeyPatch, redis_server: object) -> None:
    """A worker that answers at once, in this process; ``ASKED`` counts what for."""
    redis = photo_queries._redis(5)
    redis.flushdb()
    ASKED.clear()

    def poke(name: str) -> None:
        ASKED.append(name)
        photo_queries.answer_waiting()

    monkeypatch.setattr(photo_queries, "_away_until", 0.0)
    monkeypatch.setattr(photo_queries, "poke", poke)


def flag(left: str, right: str) -> ContentFile[bytes]:
    """Return a photo of two colours side by side."""
    made = Image.new("RGB", (64, 64), left)
    made.paste(right, (32, 0, 64, 64))
    return ContentFile(png(made), name="flag.png")


def products(*photos: Any) -> list[Product]:
    """Save and index a product for each photo."""
    made = [Product.objects.create(title=f"P{n}", photo=each) for n, each in enumerate(photos)]
    indexing.work()
    return made


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_cells_sum_to_the_stored_similarity(shape: Shape) -> None:
    made = [shape.make(hue) for hue in (0.0, 0.1, 0.4)]
    indexing.work()
    found = explain(made[0], made[1])
    assert found is not None
    for photo in (found.photo, found.other_photo):
        assert photo.cells.sum() == pytest.approx(found.cosine, abs=1e-9)
        assert photo.image.storage.exists(photo.image.name)
    assert found.distance < 2e-3
    assert found.is_close
    assert (found.rank, found.is_fitted) == (1, False)
    assert found.product is made[0]


def test_it_says_where_in_both_photos() -> None:
    one, other, _third = products(flag("red", "blue"), flag("red", "lime"), upload(0.5))
    found = explain(one, other)
    assert found is not None
    assert {each.place for each in found.photo.regions} <= {"left", "upper_left", "lower_left"}
    assert found.photo.regions[0].share > 1 / 4
    assert found.photo.cells[:, :2].min() > found.photo.cells[:, 2:].max()


def test_a_pair_that_is_in_no_list_is_explained_too() -> None:
    one, other = products(upload(0.1), upload(0.2))
    stored = explain(one, other)
    space = space_by_label("testapp.product.embedding")
    assert space is not None
    space.list_model.objects.all().delete()
    found = explain(one, other)
    assert found is not None
    assert stored is not None
    assert (found.rank, stored.rank) == (None, 1)
    assert found.similarity == pytest.approx(stored.similarity, abs=1e-3)


def test_the_best_pair_of_several_photos_is_explained() -> None:
    one, other = (Item.objects.create(title=title) for title in "ab")
    hues = {(one, 0.0): None, (one, 0.5): None, (other, 0.51): None, (other, 0.8): None}
    made = [ItemPhoto.objects.create(item=item, image=upload(hue)) for item, hue in hues]
    indexing.work()
    found = explain(one, other)
    assert found is not None
    assert (found.photo.key, found.other_photo.key) == (made[1].pk, made[2].pk)


def test_what_is_hidden_is_as_good_as_not_there() -> None:
    one, other = products(upload(0.1), upload(0.2))
    bare = Product.objects.create(title="bare")
    Product.objects.filter(pk=other.pk).update(published=False)
    for pair in [
        (one, other),
        (other, one),
        (one, bare),
        (one, Product()),
        (one, Product(pk=9**9)),
    ]:
        assert explain(*pair) is None
    for seed in (other, bare, Product(), Product(pk=9**9)):
        found = similar_to_part(seed, WHOLE)
        assert (found, found.way, found.indexed) == ([], "none", False)
    assert not ASKED, "nobody may learn from the time it takes"
    assert explain(one, other, hidden_too=True) is not None


def test_a_part_finds_what_has_it_in_that_place() -> None:
    seed, like_left, like_right = products(
        flag("red", "blue"), flag("red", "lime"), flag("lime", "blue")
    )
    assert similar_to_part(seed, (0.0, 0.0, 0.5, 1.0))[0].pk == like_left.pk
    assert similar_to_part(seed, (0.5, 0.0, 0.5, 1.0))[0].pk == like_right.pk
    assert len(similar_to_part(seed, WHOLE, limit=1)) == 1


def test_a_part_shows_only_what_may_be_shown() -> None:
    seed, hidden, sold_out, shown = products(*(upload(hue) for hue in (0.1, 0.12, 0.14, 0.16)))
    Product.objects.filter(pk=hidden.pk).update(published=False)
    Product.objects.filter(pk=sold_out.pk).update(stock=0)
    assert [each.pk for each in similar_to_part(seed, WHOLE)] == [shown.pk]
    none = Product.objects.filter(title="none of them")
    assert similar_to_part(seed, WHOLE, among=none) == []


def test_a_part_of_an_uploaded_photo() -> None:
    like_left, like_right = products(flag("red", "lime"), flag("lime", "blue"))
    photo = flag("red", "blue").read()
    for part, expected in (((0, 0, 0.5, 1), like_left), ((0.5, 0, 0.5, 1), like_right)):
        assert similar_to_photo(photo, model=Product, part=part)[0].pk == expected.pk


def test_blocks_hold_in_search_by_photo_and_by_part() -> None:
    seed, first, second, third, last = products(*(upload(n / 20) for n in range(5)))
    photo = upload(0.0).read()

    def by_photo() -> list[int]:
        return [each.pk for each in similar_to_photo(photo, model=Product)]

    def by_part() -> list[int]:
        return [each.pk for each in similar_to_part(seed, WHOLE)]

    assert by_photo()[:2] == [seed.pk, first.pk]
    rule("block", first)
    rule("block", second, beside=seed)
    rule("block", third, rule_set="bold")
    rule("pin", last)
    assert by_photo() == [seed.pk, second.pk, third.pk, last.pk]
    assert by_part() == [third.pk, last.pk]


@pytest.mark.parametrize("part", [(0.2, 0.2, 0.0, 0.5), (1.5, 0, 1, 1), (float("nan"), 0, 1, 1)])
def test_what_is_no_part_is_an_error(part: tuple[float, float, float, float]) -> None:
    (seed,) = products(upload(0.1))
    with pytest.raises(ValueError, match="four numbers"):
        similar_to_part(seed, part)


def test_a_photo_is_looked_at_once() -> None:
    one, other, third = products(upload(0.1), upload(0.2), upload(0.3))
    explain(one, other)
    assert len(ASKED) == 2
    explain(other, one)
    similar_to_part(one, WHOLE)
    assert len(ASKED) == 2
    explain(one, third)
    assert len(ASKED) == 3


def test_no_more_maps_are_kept_than_may_be(settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "map_cache_photos": 2}
    made = products(*(upload(hue) for hue in (0.1, 0.3, 0.5, 0.7)))
    for each in made:
        similar_to_part(each, WHOLE)
    redis = photo_queries._redis(5)
    kept = [key for key in redis.keys("imgrec:map:*") if redis.ttl(key) > 0]
    assert len(kept) == redis.zcard(map_cache.KEYS) == 2
    similar_to_part(made[-1], WHOLE)
    assert len(ASKED) == 4, "the newest are kept"


def test_nothing_is_kept_where_nothing_may_be(settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "map_cache_seconds": 0}
    (seed,) = products(upload(0.1))
    similar_to_part(seed, WHOLE)
    assert not photo_queries._redis(5).keys("imgrec:map*")


def test_no_worker_is_a_bounded_wait(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.IMGREC = {**settings.IMGREC, "photo_wait_seconds": 0.05}
    monkeypatch.setattr(photo_queries, "poke", lambda name: None)
    one, other = products(upload(0.1), upload(0.2))
    with pytest.raises(PhotoSearchUnavailable, match="No worker"):
        explain(one, other)


def test_a_file_that_has_gone_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = products(upload(0.1), upload(0.2))
    one.photo.storage.delete(one.photo.name)
    with pytest.raises(PictureError) as caught:
        explain(one, other)
    assert caught.value.code == "file_missing"


def test_an_encoder_without_a_map_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = products(upload(0.1), upload(0.2))
    monkeypatch.setattr("imgrec.mapping.Mapped", Staged)  # which it is not
    with pytest.raises(NoFeatureMap, match="tell the parts"):
        explain(one, other)
    assert not ASKED


def test_a_photo_changed_since_is_seen_by_the_distance() -> None:
    one, other, _third = products(upload(0.1), upload(0.2), upload(0.3))
    storage = one.photo.storage
    with storage.open(one.photo.name, "wb") as file:
        file.write(upload(0.6).read())
    found = explain(one, other)
    assert found is not None
    assert not found.is_close
