"""Queries a shop needs, alone and together: each answer is that of a naive search over all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from django.db.models import QuerySet
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from imgrec import neighbours, similar_products
from imgrec.results import SimilarProducts
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.brute_force import vectors_by_item
from tests.synthetic import fill
from tests.testapp.models import Item, ItemPhoto, LimitedProduct, Product, Tag, UuidProduct

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_index")]

LABEL = "testapp.product.embedding"
COUNT = 48


def space_of(label: str = LABEL) -> SpaceDefinition:
    found = space_by_label(label)
    assert found is not None
    return found


def keys(found: Any) -> list[Any]:
    return [each.pk for each in found]


@dataclass
class Shop:
    """Products with their unit vectors in float64, by key."""

    products: dict[Any, Product]
    vectors: dict[Any, Any]

    def naive(
        self,
        likes: dict[Any, float],
        dislikes: dict[Any, float] | None = None,
        *,
        eligible: Callable[[Product], bool] = lambda product: True,
        group: Callable[[Product], Any] | None = None,
        least: float = 0.0,
        fold: float | None = None,
    ) -> list[Any]:
        """Return the keys of all products that may be shown, in order, by looking at each."""
        dislikes = dislikes or {}
        signed = [*likes.items(), *((key, -weight) for key, weight in dislikes.items())]
        query = sum(weight * self.vectors[key] for key, weight in signed)
        query = query / np.linalg.norm(query)
        if len(signed) > 1:  # rounded as vectors are stored, so that the index takes it
            query = query.astype(np.float32).astype(np.float16).astype(np.float64)
            query = query / np.linalg.norm(query)
        near = {key: float(vector @ query) for key, vector in self.vectors.items()}
        shown: list[Any] = []
        for key in sorted(near, key=lambda each: (-near[each], each)):
            product = self.products[key]
            may_be = product.published and product.stock and eligible(product)
            if not may_be or key in likes or key in dislikes or max(near[key], 0) < least:
                continue
            if group and group(product) is not None:
                others = [*shown, *likes]
                if any(group(self.products[other]) == group(product) for other in others):
                    continue
            if fold and any(
                float(self.vectors[key] @ self.vectors[other]) >= fold for other in [*shown, *likes]
            ):
                continue
            shown.append(key)
        return shown


@pytest.fixture
def shop(request: pytest.FixtureRequest) -> Shop:
    """Products in clusters; some are variants, hidden, sold out, or photographed twice."""
    seed = getattr(request, "param", 1)
    random = np.random.default_rng(seed)
    made = Product.objects.bulk_create(
        Product(
            title=f"T{random.integers(6)}",
            photo=f"{i}.png",
            price=int(random.integers(5)),
            published=random.random() > 0.1,
            stock=int(random.random() > 0.1),
        )
        for i in range(COUNT)
    )
    for product in made[8:]:
        if random.random() < 0.6:
            product.parent = made[int(random.integers(8))]
    Product.objects.bulk_update(made, ["parent"])
    fill(space_of(), made, clusters=6, seed=seed)
    _photograph_again(made, random)
    vectors = {key: rows[0] for key, rows in vectors_by_item(space_of()).items()}
    products = Product.objects.select_related("parent").in_bulk(keys(made))
    return Shop(products, vectors)


def _photograph_again(products: list[Product], random: Any) -> None:
    rows = list(space_of().embedding_model.objects.order_by("pk"))
    for _ in range(10):
        one, other = random.choice(len(rows), size=2, replace=False)
        vector = np.asarray(rows[one].vector) + 0.02 * random.normal(size=len(rows[one].vector))
        rows[other].vector = (vector / np.linalg.norm(vector)).tolist()
    space_of().embedding_model.objects.bulk_update(rows, ["vector"])


@pytest.fixture(params=["exact", "hnsw"])
def way(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Either way of a live search."""
    if request.param == "hnsw":
        settings.IMGREC = {**settings.IMGREC, "exact_below": 1}
    return str(request.param)


GROUPS: dict[str, Callable[[Product], Any]] = {
    "parent": lambda product: product.parent_id or product.pk,
    "price": lambda product: product.price,
    "parent__title": lambda product: product.parent.title if product.parent else None,
}
AMONG: list[tuple[Callable[[], QuerySet[Any] | None], Callable[[Product], bool]]] = [
    (lambda: None, lambda product: True),
    (lambda: Product.objects.filter(price__lt=2), lambda product: product.price < 2),
    (lambda: Product.objects.exclude(title="T1"), lambda product: product.title != "T1"),
    (lambda: Product.objects.none(), lambda product: False),
]


@st.composite
def queries(draw: Any) -> dict[str, Any]:
    """Draw any combination that is allowed, but for pages."""
    places = draw(st.lists(st.integers(0, COUNT - 1), min_size=1, max_size=5, unique=True))
    likes = draw(st.integers(1, len(places)))
    weights = st.sampled_from([0.5, 1.0, 2.0])
    return {
        "likes": {place: draw(weights) for place in places[:likes]},
        "dislikes": {place: draw(st.sampled_from([0.25, 0.5])) for place in places[likes:]},
        "among": draw(st.integers(0, len(AMONG) - 1)),
        "group_by": draw(st.sampled_from([None, *GROUPS])),
        "fold": draw(st.sampled_from([None, 0.9, 0.97])),
        "least": draw(st.sampled_from([0.0, 0.2, 0.6])),
        "limit": draw(st.integers(3, 12)),
    }


def pages(seed: Any, **options: Any) -> list[SimilarProducts]:
    """Return all pages of a query."""
    found = [similar_products(seed, **options)]
    while found[-1].next:
        found.append(similar_products(seed, after=found[-1].next, **options))
        assert len(found) < 200
    return found


@pytest.mark.parametrize("lists", [False, True], ids=["no lists", "lists"])
def test_any_combination_gives_what_a_naive_search_gives(
    shop: Shop, way: str, lists: bool, settings: Settings
) -> None:
    if lists:
        settings.IMGREC = {**settings.IMGREC, "stored_neighbours": 12, "refill_below": 8}
        neighbours.rebuild(space_of())
    numbered = sorted(shop.products)

    @examples(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(queries())
    def compare(query: dict[str, Any]) -> None:
        likes = {numbered[place]: weight for place, weight in query["likes"].items()}
        dislikes = {numbered[place]: weight for place, weight in query["dislikes"].items()}
        among, eligible = AMONG[query["among"]]
        # what may not be seen is as if unknown
        seen = {key: weight for key, weight in likes.items() if shop.products[key].published}
        unlike = {key: weight for key, weight in dislikes.items() if shop.products[key].published}
        asked = {*likes, *dislikes}
        expected = []
        if seen:
            expected = shop.naive(
                seen,
                unlike,
                eligible=lambda product: eligible(product) and product.pk not in asked,
                group=GROUPS.get(query["group_by"] or ""),
                least=query["least"],
                fold=query["fold"],
            )
        found = pages(
            {shop.products[key]: weight for key, weight in likes.items()},
            less_like={shop.products[key]: weight for key, weight in dislikes.items()},
            among=among(),
            group_by=query["group_by"],
            fold=query["fold"],
            min_similarity=query["least"],
            limit=query["limit"],
        )
        assert [key for page in found for key in keys(page)] == expected
        assert all(len(page) == query["limit"] for page in found[:-1])

    compare()


# Several products


def test_several_products_are_one_query(shop: Shop) -> None:
    one, two, three = [each for each in shop.products.values() if each.published][:3]
    equally = shop.naive({one.pk: 1.0, two.pk: 1.0})[:8]
    for seeds in ([one, two], (two, one), {one: 1, two: 1}, iter([one, two])):
        assert keys(similar_products(seeds)) == equally
    assert (
        keys(similar_products({one: 3.0, two: 1.0})) == shop.naive({one.pk: 3.0, two.pk: 1.0})[:8]
    )
    assert keys(similar_products([one, one, two])) == shop.naive({one.pk: 2.0, two.pk: 1.0})[:8]
    away = similar_products(one, less_like=three)
    assert keys(away) == shop.naive({one.pk: 1.0}, {three.pk: 1.0})[:8]
    assert keys(similar_products([one])) == keys(similar_products(one))


def test_similarity_is_to_the_blend(shop: Shop) -> None:
    one, two = [p for p in shop.products.values() if p.published][:2]
    query = shop.vectors[one.pk] + shop.vectors[two.pk]
    query /= np.linalg.norm(query)
    for each in similar_products([one, two]):
        assert each.similarity == pytest.approx(float(shop.vectors[each.pk] @ query), abs=2e-3)


def test_hidden_seeds_are_ignored_as_if_unknown(shop: Shop) -> None:
    shown, hidden, other = list(shop.products.values())[:3]
    Product.objects.filter(pk__in=[shown.pk, other.pk]).update(published=True, stock=1)
    Product.objects.filter(pk=hidden.pk).update(published=False)
    new = Product.objects.create(title="no photo")
    alone = keys(similar_products(shown, limit=COUNT))
    for seeds in ([shown, hidden], [shown, new], [shown, Product()], {shown: 1, hidden: 5}):
        assert keys(similar_products(seeds, limit=COUNT)) == alone
    assert keys(similar_products(shown, less_like=hidden, limit=COUNT)) == alone
    for seeds in ([hidden], [hidden, new], [new], [Product()], [], {}):
        found = similar_products(seeds)
        assert (found, found.way, found.indexed, found.next) == ([], "none", False, None)
    found = similar_products([hidden, new], less_like=shown)
    assert (found, found.indexed) == ([], False)


def test_what_cancels_out_is_an_empty_answer(shop: Shop) -> None:
    one = next(p for p in shop.products.values() if p.published)
    twin = Product.objects.create(title="twin", photo="twin.png")
    space_of().embedding_model.objects.filter(pk=twin.pk).delete()
    row = space_of().embedding_model.objects.get(pk=one.pk)
    row.pk = twin.pk
    row.save(force_insert=True)
    assert similar_products(one, less_like=twin) == []


def test_of_several_photos_the_mean_counts() -> None:
    space = space_of("testapp.itemphoto.embedding")
    items = Item.objects.bulk_create(Item(title=f"I{i}") for i in range(20))
    photos = ItemPhoto.objects.bulk_create(
        ItemPhoto(item=items[i % 20], image=f"{i}.png") for i in range(60)
    )
    fill(space, photos, clusters=5)
    vectors = vectors_by_item(space)
    means = {key: rows.mean(axis=0) for key, rows in vectors.items()}
    query = sum(means[item.pk] / np.linalg.norm(means[item.pk]) for item in items[:2])
    query /= np.linalg.norm(query)
    near = {key: float((rows @ query).max()) for key, rows in vectors.items()}
    expected = sorted(set(near) - set(keys(items[:2])), key=lambda key: -near[key])[:8]
    found = similar_products(items[:2])
    assert keys(found) == expected
    assert all(each.matched_photo and each.matched_image for each in found)
    assert [each.similarity for each in found] == pytest.approx(
        [near[key] for key in expected], abs=2e-3
    )
    assert similar_products(items[0], group_by="title", limit=20, fold=0.999)


@pytest.mark.parametrize("group_by", [None, "title"])
def test_pages_of_items_by_their_best_pair(way: str, group_by: str | None) -> None:
    space = space_of("testapp.itemphoto.embedding")
    items = Item.objects.bulk_create(Item(title=f"I{i % 17}") for i in range(40))
    photos = ItemPhoto.objects.bulk_create(
        ItemPhoto(item=items[i * i % 40], image=f"{i}.png") for i in range(150)
    )
    fill(space, photos, clusters=6)
    vectors = vectors_by_item(space)
    seed = items[0]
    own = vectors[seed.pk][:8]
    near = {key: float((rows @ own.T).max()) for key, rows in vectors.items() if key != seed.pk}
    titles = {item.pk: item.title for item in items}
    expected: list[Any] = []
    for key in sorted(near, key=lambda key: (-near[key], key)):
        taken = {titles[other] for other in [*expected, seed.pk]}
        if group_by is None or titles[key] not in taken:
            expected.append(key)
    found = pages(seed, limit=4, group_by=group_by)
    assert [key for page in found for key in keys(page)] == expected
    assert {page.way for page in found} <= {way, "exact"}
    queried = list(Item.objects.similar_to(seed)[:10])
    assert keys(queried) == sorted(near, key=lambda key: (-near[key], key))[:10]


# Groups, duplicates, diversity


def test_one_card_a_group_and_never_fewer_than_there_are(shop: Shop, way: str) -> None:
    """All near ones are variants of one another: many candidates make few cards."""
    seed = next(p for p in shop.products.values() if p.published)
    nearest = shop.naive({seed.pk: 1.0})
    head, rest = nearest[9], nearest[30:]
    Product.objects.update(parent=None)
    Product.objects.filter(pk__in=nearest[:30]).exclude(pk=head).update(parent=head)
    found = similar_products(seed, limit=5, group_by="parent")
    assert keys(found) == [nearest[0], *rest][:5], "neither variants nor their parent again"
    Product.objects.filter(pk__in=nearest[:30]).update(parent=seed)
    found = similar_products(seed, limit=5, group_by="parent")
    assert keys(found) == rest[:5], "none of the seed's own variants"
    Product.objects.filter(pk=head).update(parent=None)
    Product.objects.filter(pk__in=[seed.pk, *nearest[:30]]).exclude(pk=head).update(parent=head)
    found = similar_products(seed, limit=5, group_by="parent")
    assert keys(found) == rest[:5], "none of its siblings, nor its parent"
    assert found.eligible is not None
    assert found.way == way or len(rest) < 5


def test_diversity_keeps_the_best_first_and_spreads_the_rest(shop: Shop) -> None:
    seed = next(p for p in shop.products.values() if p.published)
    plain = similar_products(seed, limit=6)
    assert keys(similar_products(seed, limit=6, diversity=0)) == keys(plain)
    varied = similar_products(seed, limit=6, diversity=0.7)
    assert varied[0] == plain[0]
    assert len(set(keys(varied))) == 6

    def likeness(found: Any) -> float:
        rows = np.stack([shop.vectors[key] for key in keys(found)])
        return float((rows @ rows.T).sum())

    assert likeness(varied) < likeness(plain)
    together = similar_products(seed, limit=6, diversity=0.7, fold=0.97, group_by="price")
    assert len({shop.products[key].price for key in keys(together)}) == len(together)


# Pages


@pytest.mark.parametrize("group_by", [None, "parent"])
def test_pages_while_products_come_and_go(
    shop: Shop, settings: Settings, group_by: str | None
) -> None:
    """From the list to a live search and back, while others vanish and appear."""
    settings.IMGREC = {**settings.IMGREC, "stored_neighbours": 12, "refill_below": 8}
    neighbours.rebuild(space_of())
    seed = next(p for p in shop.products.values() if p.published and p.stock)
    Product.objects.exclude(pk=seed.pk).update(published=True, stock=1)
    shop.products = Product.objects.select_related("parent").in_bulk()
    random = np.random.default_rng(5)
    everything = shop.naive({seed.pk: 1.0}, group=GROUPS["parent"] if group_by else None)
    gone, seen = set[Any](), list[Any]()
    ways = []
    page = similar_products(seed, limit=4, group_by=group_by)
    while True:
        seen += keys(page)
        ways.append(page.way)
        if not page.next:
            break
        vanishing = Product.objects.exclude(pk=seed.pk).order_by("pk")
        for pk in random.choice(keys(vanishing), size=3, replace=False):
            shown = random.random() < 0.5
            Product.objects.filter(pk=pk).update(stock=int(shown))
            if not shown:
                gone.add(pk)
        if len(ways) == 6:
            neighbours.rebuild(space_of())
        page = similar_products(seed, limit=4, group_by=group_by, after=page.next)
    assert len(seen) == len(set(seen)), "nothing twice"
    stayed = [key for key in everything if key not in gone]
    if group_by is None:
        assert set(stayed) <= set(seen), "nothing is skipped that was there all the time"
        assert set(ways) == {"list", "exact"}
    else:
        parents = [shop.products[key].parent_id for key in seen]
        cards = [parent for parent in parents if parent is not None]
        assert len(cards) == len(set(cards)), "one card a group, over all pages"
        assert {shop.products[key].parent_id for key in stayed} <= set(parents)


def test_the_next_page_of_a_list_is_its_rest(shop: Shop) -> None:
    neighbours.rebuild(space_of())
    seed = next(p for p in shop.products.values() if p.published)
    found = pages(seed, limit=7, min_similarity=0.01)
    assert {page.way for page in found} == {"list"}
    assert [key for page in found for key in keys(page)] == shop.naive({seed.pk: 1.0}, least=0.01)
    assert found[-1].next is None


def test_products_that_look_the_same_are_paged_one_by_one() -> None:
    made = Product.objects.bulk_create(Product(photo=f"{i}.png") for i in range(30))
    fill(space_of(), made)
    rows = list(space_of().embedding_model.objects.all())
    for row in rows:
        row.vector = rows[0].vector
    space_of().embedding_model.objects.bulk_update(rows, ["vector"])
    seen = [key for page in pages(made[0], limit=4) for key in keys(page)]
    assert sorted(seen) == keys(made[1:])


def test_keys_that_are_no_numbers_are_paged() -> None:
    made = UuidProduct.objects.bulk_create(UuidProduct(photo=f"{i}.png") for i in range(20))
    fill(space_of("testapp.uuidproduct.embedding"), made)
    for group_by in (None, "stock", "id"):
        found = pages(made[0], limit=3, group_by=group_by)
        seen = [key for page in found for key in keys(page)]
        assert len(seen) == len(set(seen)) == {None: 19, "stock": 0, "id": 19}[group_by]


# Mistakes


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fold": 0}, r"fold=0: a cosine above 0"),
        ({"fold": 1.2}, r"fold=1.2: a cosine above 0"),
        ({"diversity": 2}, r"diversity=2: 0 \(most similar first\) to 1"),
        ({"diversity": float("nan")}, "diversity=nan"),
        ({"min_similarity": float("nan")}, "min_similarity=nan"),
        ({"limit": -1}, "limit=-1: 0 or more"),
        ({"after": "x", "diversity": 0.5}, "do not go together.*limit=, among=, min_similarity="),
        ({"after": "x"}, r"after= is no token: give the \.next of a result"),
        ({"group_by": "nothing"}, "'nothing' is no column of testapp.Product.* There: id, title"),
        ({"group_by": "tags"}, "'tags' is no column"),
        ({"group_by": "variants"}, "'variants' is no column"),
        ({"group_by": "parent__tags"}, "'tags' is no column"),
        ({"group_by": "title__length"}, "'length' is no column .* nothing further"),
        (
            {"less_like": [3]},
            r"less_like: 3 is no product\. Give a product, several, or \{product: weight\}",
        ),
        ({"less_like": {Product(pk=1): 0}}, "less_like: the weight 0 of .* is not above 0"),
        ({"less_like": {Product(pk=1): "2"}}, "the weight '2'"),
    ],
)
def test_what_cannot_be_asked_says_what_can(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        similar_products(Product(pk=1), **options)


def test_seeds_are_products_of_one_catalogue() -> None:
    with pytest.raises(ValueError, match=r"The seed is a UuidProduct; .* has testapp\.Product"):
        similar_products([Product(pk=1), UuidProduct()])
    with pytest.raises(ValueError, match=r"seed: the weight -1"):
        similar_products({Product(pk=1): -1})
    for wrong in ("x", "", None, 7):
        with pytest.raises(ValueError, match=f"seed: {wrong!r} is no product"):
            similar_products(wrong)  # type: ignore[arg-type]
    with pytest.raises(LookupError, match="has no ImageEmbeddingField"):
        similar_products([Tag(pk=1)])


def test_a_token_belongs_to_its_query(shop: Shop) -> None:
    one, two = [p for p in shop.products.values() if p.published][:2]
    token = similar_products(one, limit=2).next
    assert token
    for seed, options in ((two, {}), (one, {"group_by": "price"}), (one, {"less_like": two})):
        with pytest.raises(ValueError, match="after= is of another query"):
            similar_products(seed, after=token, **options)
    assert similar_products(one, limit=5, after=token), "pages may differ in size"


def test_children_are_seeds_among_others() -> None:
    made = [LimitedProduct.objects.create(photo="x.png", title=f"{i}") for i in range(6)]
    space_of().embedding_model.objects.all().delete()
    fill(space_of(), [Product.objects.get(pk=each.pk) for each in made])
    assert len(similar_products(made[:2], group_by="title")) == 4
    only = similar_products(made[:2], among=LimitedProduct.objects.filter(edition=1))
    assert {type(each) for each in only} == {LimitedProduct}
