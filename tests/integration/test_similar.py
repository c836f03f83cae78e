"""``similar_products``: what is found, whichever way it is found, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.db import DatabaseError, connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from imgrec import indexing, neighbours, similar_products, space_rows
from imgrec.models import EmbeddingJob
from imgrec.pool import Pool, Search
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.brute_force import similarities, vectors_by_item
from tests.pictures import upload
from tests.shapes import SHAPES, Shape
from tests.synthetic import fill
from tests.testapp.models import (
    Artwork,
    BargainProduct,
    Item,
    ItemPhoto,
    LimitedProduct,
    Product,
    Tag,
    TwoSpaces,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_index")]

HUES = [0.0, 0.02, 0.31, 0.33, 0.66]
WAYS = ["list", "exact", "hnsw"]
BY_NAME = {shape.name: shape for shape in SHAPES}


def space_of(label: str = "testapp.product.embedding") -> SpaceDefinition:
    found = space_by_label(label)
    assert found is not None
    return found


def keys(found: list[Any]) -> list[Any]:
    return [each.pk for each in found]


@pytest.fixture
def products() -> list[Product]:
    """Two reds, two greens and a blue, indexed."""
    made = [
        Product.objects.create(title=f"Chair {i}", photo=upload(hue)) for i, hue in enumerate(HUES)
    ]
    indexing.work()
    return made


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def take(way: str, settings: Settings) -> Callable[[SpaceDefinition], None]:
    """Leave only one way to find products."""

    def leave(space: SpaceDefinition) -> None:
        if way != "list":
            space.list_model.objects.all().delete()
        if way == "hnsw":
            settings.IMGREC = {**settings.IMGREC, "exact_below": 0}
            with connection.cursor() as cursor:  # without what other tests have rolled back
                cursor.execute(f"REINDEX TABLE {space.embedding_model._meta.db_table}")

    return leave


# Whichever way


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_way_finds_the_same_with_the_same_similarity(
    shape: Shape, way: str, take: Callable[[SpaceDefinition], None]
) -> None:
    made = [shape.make(hue) for hue in HUES]
    indexing.work()
    take(shape.space)
    items, table = similarities(shape.space)
    for seed in made:
        found = similar_products(seed, limit=4)
        row = dict(zip(items, table[items.index(seed.pk)], strict=True))
        assert {each.pk for each in found} == set(items) - {seed.pk}
        got = [each.similarity for each in found]
        assert got == pytest.approx([row[each.pk] for each in found], abs=2e-3)
        assert got == sorted(got, reverse=True)
        assert found.way == way
        assert (found.indexed, found.space) == (True, shape.label)


def test_what_may_be_seen_is_asked_now_not_when_lists_were_made(
    products: list[Product], take: Callable[[SpaceDefinition], None]
) -> None:
    take(space_of())
    red, scarlet, lime, green, blue = products
    Product.objects.filter(pk=scarlet.pk).update(published=False)
    Product.objects.filter(pk=lime.pk).update(stock=0)
    assert not EmbeddingJob.objects.exists(), "no task has anything to do with it"
    assert set(keys(similar_products(red))) == {green.pk, blue.pk}
    assert set(keys(similar_products(lime))) == {red.pk, green.pk, blue.pk}, "sold out: as a seed"
    Product.objects.update(published=True, stock=1)
    assert len(similar_products(red)) == 4


def test_a_hidden_seed_answers_like_one_without_a_vector(
    products: list[Product], take: Callable[[SpaceDefinition], None]
) -> None:
    take(space_of())
    Product.objects.filter(pk=products[0].pk).update(published=False)
    for seed in (products[0], Product.objects.create(title="New"), Product(pk=10**6), Product()):
        found = similar_products(seed)
        assert (found, found.way, found.indexed) == ([], "none", False)


def test_nothing_less_similar_than_asked(
    products: list[Product], take: Callable[[SpaceDefinition], None], settings: Settings
) -> None:
    take(space_of())
    assert keys(similar_products(products[0], min_similarity=0.9)) == [products[1].pk]
    found = similar_products(products[0], min_similarity=1.01)
    assert (found, found.indexed) == ([], True)
    settings.IMGREC = {**settings.IMGREC, "min_similarity": 0.9}
    assert keys(similar_products(products[0])) == [products[1].pk]
    assert len(similar_products(products[0], min_similarity=0)) == 4


def test_among_with_a_join_gives_each_product_once(
    products: list[Product], take: Callable[[SpaceDefinition], None]
) -> None:
    take(space_of())
    tags = [Tag.objects.create(name=name) for name in ("oak", "old", "odd")]
    for product in products:
        product.tags.set(tags)
    found = similar_products(products[0], limit=3, among=Product.objects.filter(tags__in=tags))
    assert keys(found) == keys(similar_products(products[0], limit=3))


def test_a_rule_with_a_join_gives_each_product_once(
    products: list[Product], take: Callable[[SpaceDefinition], None]
) -> None:
    take(space_of())
    tags = [Tag.objects.create(name=name) for name in ("oak", "old")]
    for product in products[:4]:
        product.tags.set(tags)
    rule = Q(tags__name__in=["oak", "old"])
    for space in (replace(space_of(), recommend=rule), replace(space_of(), visible=rule)):
        found = similar_products(products[0], limit=4, space=space)
        assert sorted(keys(found)) == sorted(keys(products[1:4]))
    hidden = replace(space_of(), visible=rule)
    assert not similar_products(products[4], space=hidden).indexed


def test_among_keeps_the_shops_own_columns_and_relations(
    products: list[Product], take: Callable[[SpaceDefinition], None]
) -> None:
    take(space_of())
    products[1].tags.add(Tag.objects.create(name="oak"))
    rows = Product.objects.only("title").prefetch_related("tags").order_by("title")
    found = similar_products(products[0], among=rows)
    assert found[0].get_deferred_fields() >= {"price", "stock"}
    with CaptureQueriesContext(connection) as captured:
        assert [tag.name for tag in found[0].tags.all()] == ["oak"]
    assert not captured.captured_queries
    assert found[0].pk == products[1].pk, "most similar first, whatever the order of among"


@pytest.mark.parametrize(
    "ask",
    [
        lambda rows: rows.annotate(tagged=Count("tags")),
        lambda rows: rows.annotate(tagged=Count("tags")).filter(tagged__gt=1),
        lambda rows: rows.annotate(tagged=Count("tags")).filter(tags__name__contains="o"),
        lambda rows: rows.annotate(tagged=Count("tags")).filter(
            Exists(Tag.objects.filter(name=OuterRef("tags__name")))
        ),
        lambda rows: rows.annotate(name=F("tags__name")).extra(where=["testapp_tag.id > 0"]),
        lambda rows: rows.filter(Q(tags__name="oak") | Q(tags__isnull=True)).distinct(),
    ],
    ids=["count", "having", "count and filter", "outer reference", "raw", "nullable"],
)
def test_whatever_among_joins_it_chooses_as_it_says(
    products: list[Product],
    take: Callable[[SpaceDefinition], None],
    ask: Callable[[QuerySet[Any]], QuerySet[Any]],
) -> None:
    take(space_of())
    tags = [Tag.objects.create(name=name) for name in ("oak", "old", "odd")]
    for number, product in enumerate(products[:4]):
        product.tags.set(tags[:number])
    rows = ask(Product.objects.all())
    chosen = {each.pk for each in rows} - {products[0].pk}
    found = similar_products(products[0], limit=len(chosen), among=rows)
    assert sorted(keys(found)) == sorted(chosen)


def test_leaves_the_hosts_transaction_and_its_settings(
    products: list[Product], take: Callable[[SpaceDefinition], None]
) -> None:
    take(space_of())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL hnsw.ef_search = 77")
        Product.objects.filter(pk=products[4].pk).update(title="not yet committed")
        similar_products(products[0])
        cursor.execute(
            "SELECT current_setting('hnsw.ef_search'), current_setting('hnsw.iterative_scan')"
        )
        assert cursor.fetchone() == ("77", "off")
    assert Product.objects.get(pk=products[4].pk).title == "not yet committed"


def test_a_failure_is_raised_and_leaves_the_transaction_usable(
    products: list[Product], take: Callable[[SpaceDefinition], None]
) -> None:
    take(space_of())
    with pytest.raises(DatabaseError):
        similar_products(products[0], among=Product.objects.extra(where=["nonsense"]))
    assert Product.objects.count() == len(products)


# Seeds and classes


@pytest.mark.parametrize("seed_class", [Product, LimitedProduct, BargainProduct])
def test_parents_children_and_proxies_are_one_catalogue(seed_class: Any) -> None:
    made = [
        (LimitedProduct, BargainProduct, Product)[i % 3].objects.create(photo=upload(hue))
        for i, hue in enumerate(HUES)
    ]
    indexing.work()
    limited = made[0]
    seed = seed_class.objects.get(pk=limited.pk)
    found = similar_products(seed)
    assert sorted(keys(found)) == sorted(keys(made[1:]))
    assert {type(each) for each in found} == {Product}
    only = similar_products(seed, among=LimitedProduct.objects.filter(edition=1))
    assert [(type(each), each.pk) for each in only] == [(LimitedProduct, made[3].pk)]


def test_keys_that_begin_alike_are_different_products() -> None:
    for key, hue in ((1, 0.0), (11, 0.02), (111, 0.66)):
        Product.objects.create(pk=key, photo=upload(hue))
    indexing.work()
    assert keys(similar_products(Product(pk=1))) == [11, 111]
    assert keys(similar_products(Product(pk=11))) == [1, 111]


def test_another_space_can_be_asked_and_another_be_served() -> None:
    made = [TwoSpaces.objects.create(photo=upload(hue)) for hue in HUES]
    indexing.work()
    coarse = space_of("testapp.twospaces.coarse")
    assert similar_products(made[0]).space == "testapp.twospaces.fine"
    assert similar_products(made[0], space=coarse).space == coarse.label
    space_rows.serve(coarse.label)
    assert similar_products(made[0]).space == coarse.label


# Mistakes


@pytest.mark.parametrize(
    ("among", "words"),
    [
        (lambda: Product.objects.all()[:5], "is sliced: pass it unsliced"),
        (lambda: Product.objects.all().union(Product.objects.all()), "is a union: use |"),
        (lambda: Product.objects.values("pk"), r"gives values\(\): pass instances"),
        (lambda: Product.objects.distinct("title"), r"use distinct\(\) alone"),
        (lambda: Artwork.objects.all(), "of testapp.Artwork, not of testapp.Product"),
    ],
)
def test_an_among_that_cannot_be_used_says_what_can(among: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        similar_products(Product(pk=1), among=among())


def test_a_model_without_look_alikes_is_told_which_have_them() -> None:
    with pytest.raises(LookupError, match=r"testapp.Tag has no .*Models that have: .*testapp.Item"):
        similar_products(Tag(pk=1))


def test_a_limit_is_no_number_below_nothing() -> None:
    assert similar_products(Product(pk=1), limit=0) == []
    with pytest.raises(ValueError, match="0 or more"):
        similar_products(Product(pk=1), limit=-1)


# Large catalogues


@pytest.fixture
def catalogue() -> Any:
    """1,500 products in 30 groups of look-alikes, of 15 brands; prices stand for brands."""
    products = Product.objects.bulk_create(
        Product(title=f"P{i}", photo=f"{i}.png", price=i % 15) for i in range(1500)
    )
    return products, fill(space_of(), products)


def _truth(catalogue: Any, seed: int, keep: Any) -> list[Any]:
    products, vectors = catalogue
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    order = np.argsort(-(unit @ unit[seed]))
    return [products[i].pk for i in order if i != seed and keep(products[i])]


def test_never_comes_up_short_and_never_hides_the_best(catalogue: Any, settings: Settings) -> None:
    products, _vectors = catalogue
    neighbours.rebuild(space_of())
    settings.IMGREC = {**settings.IMGREC, "exact_below": 20}
    found = similar_products(products[0], limit=8)
    assert (found.way, keys(found)) == ("list", _truth(catalogue, 0, lambda p: True)[:8])
    # one brand in fifteen: the list's 96 hold too few of it
    brand = Product.objects.filter(price=3)
    found = similar_products(products[0], limit=12, among=brand)
    best = _truth(catalogue, 0, lambda p: p.price == 3)[:12]
    assert found.way == "hnsw"
    assert len(set(keys(found)) & set(best)) >= 11, "recall, not only as many rows"
    # fewer than exact_below to choose from: no approximation
    few = Product.objects.filter(pk__in=keys(products[100:115]))
    found = similar_products(products[0], limit=12, among=few)
    chosen = set(keys(products[100:115]))
    assert (found.way, keys(found)) == (
        "exact",
        _truth(catalogue, 0, lambda p: p.pk in chosen)[:12],
    )


def test_a_search_by_the_index_that_is_short_is_done_again_exactly(
    catalogue: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index gives up after a while, whatever is left; how far it comes is left to chance."""
    settings.IMGREC = {**settings.IMGREC, "exact_below": 5}
    pool = Search.pool

    def gives_up(self: Search, take: int, *, exact: bool = False) -> Pool:
        found = pool(self, take, exact=exact)
        return found if exact else replace(found, candidates=found.candidates[:3], scanned=3)

    monkeypatch.setattr(Search, "pool", gives_up)
    products, _vectors = catalogue
    found = similar_products(products[0], limit=8)
    assert (found.way, keys(found)) == ("exact", _truth(catalogue, 0, lambda p: True)[:8])


def test_a_product_embedded_by_a_newer_encoder_waits_for_the_switch(
    products: list[Product], way: str, take: Callable[[SpaceDefinition], None]
) -> None:
    take(space_of())
    space_of().embedding_model.objects.filter(pk=products[1].pk).update(version="newer")
    shown = products[1:] if way == "list" else products[2:]
    assert sorted(keys(similar_products(products[0]))) == keys(shown)


# Several photos a product


@pytest.mark.parametrize("way", ["list", "exact"])
@pytest.mark.parametrize("name", ["many photos", "not our model"])
def test_the_best_pair_of_photos_counts_and_is_named(name: str, way: str) -> None:
    shape = BY_NAME[name]
    assert shape.photo is not None
    hues = {"seed": [0.1, 0.5], "other": [0.8, 0.52, 0.95], "third": [0.3, 0.14]}
    photos: dict[str, list[Any]] = {}
    for title, each in hues.items():
        item = shape.item.objects.create(title=title)
        photos[title] = [
            shape.photo.objects.create(**{shape.relation: item, shape.space.source: upload(hue)})
            for hue in each
        ]
    indexing.work()
    if way == "exact":
        shape.space.list_model.objects.all().delete()
    seed = shape.item.objects.get(title="seed")
    found = {each.title: each for each in similar_products(seed)}
    by_item = vectors_by_item(shape.space)
    for title, pair in {"other": (1, 1), "third": (0, 1)}.items():
        match = photos[title][pair[1]]
        assert found[title].seed_photo == photos["seed"][pair[0]].pk
        assert found[title].matched_photo == match.pk
        assert found[title].matched_image.name == getattr(match, shape.space.source).name
        best = (by_item[seed.pk] @ by_item[found[title].pk].T).max()
        assert found[title].similarity == pytest.approx(best, abs=2e-3)


def test_each_item_comes_once_however_many_photos_it_has() -> None:
    items = [Item.objects.create(title=f"{i}") for i in range(4)]
    for item in items:
        for hue in (0.1, 0.3, 0.5):
            ItemPhoto.objects.create(item=item, image=upload(hue + item.pk / 1000))
    indexing.work()
    assert len(similar_products(items[0])) == 3
    space_of("testapp.itemphoto.embedding").list_model.objects.all().delete()
    found = similar_products(items[0], among=Item.objects.filter(photos__isnull=False))
    assert sorted(keys(found)) == sorted(keys(items[1:]))


def test_an_item_loses_a_photo_and_keeps_its_others() -> None:
    seed, other = Item.objects.create(title="seed"), Item.objects.create(title="other")
    ItemPhoto.objects.create(item=seed, image=upload(0.1))
    gone = ItemPhoto.objects.create(item=other, image=upload(0.11))
    stays = ItemPhoto.objects.create(item=other, image=upload(0.4))
    indexing.work()
    assert similar_products(seed)[0].matched_photo == gone.pk
    gone.delete()
    indexing.work()
    (found,) = similar_products(seed)
    assert found.matched_photo == stays.pk
    assert found.similarity < 0.9
