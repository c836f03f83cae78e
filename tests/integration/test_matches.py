"""A match in percent: one threshold for every category, and after a change of encoder."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pytest_django import Settings

from imgrec import calibrating, matches, neighbours, similar_products, sweep
from imgrec.errors import NoSuchPage
from imgrec.models import MatchScale, Space
from imgrec.setting_checks import check_paths
from imgrec.spaces import SpaceDefinition, register, space_by_label
from imgrec.testing import ColourGrid
from tests.synthetic import fill
from tests.testapp.models import Item, ItemPhoto, Product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_index")]
LABEL = "testapp.product.embedding"
PATH = {"testapp.Product": "title"}


def space_of(label: str = LABEL) -> SpaceDefinition:
    found = space_by_label(label)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def _by_title(settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "category": PATH}


@pytest.fixture
def products() -> list[Product]:
    """Sixty that look much alike ("near"), sixty that do not ("far")."""
    made = Product.objects.bulk_create(
        Product(title="near" if i < 60 else "far", photo=f"{i}.png") for i in range(120)
    )
    space = space_of()
    store(space, made, seen_with(space, common=3.0))
    neighbours.rebuild(space)
    return made


def seen_with(space: SpaceDefinition, *, common: float) -> Any:
    """Return what an encoder sees in the products; the first sixty have something in common."""
    vectors = np.random.default_rng(5).normal(size=(120, space.embedder.dimensions))
    vectors[:60] += common * np.random.default_rng(6).normal(size=space.embedder.dimensions)
    return vectors


def store(space: SpaceDefinition, owners: list[Any], vectors: Any) -> None:
    fill(space, owners)
    rows = {row.pk: row for row in space.embedding_model.objects.all()}
    for owner, vector in zip(owners, vectors, strict=True):
        rows[owner.pk].vector = (vector / np.linalg.norm(vector)).tolist()
    space.embedding_model.objects.bulk_update(rows.values(), ["vector"])


def share_kept(products: list[Product]) -> float:
    """Return which share of all pairs among these a threshold of 90 % keeps."""
    among = Product.objects.filter(title=products[0].title)
    kept = [similar_products(each, among=among, limit=64, min_match=90) for each in products]
    return sum(map(len, kept)) / (len(products) * (len(products) - 1))


def statements(**asked: Any) -> int:
    seed = Product.objects.filter(title="near").first()
    assert seed is not None
    similar_products(seed, **asked)  # the second time as ever after
    with CaptureQueriesContext(connection) as captured:
        similar_products(seed, **asked)
    return len(captured)


def test_the_same_threshold_keeps_the_same_share_of_every_category(
    products: list[Product],
) -> None:
    calibrating.calibrate(space_of())
    assert 0.08 < share_kept(products[:60]) < 0.12
    assert 0.08 < share_kept(products[60:]) < 0.12


def test_matches_are_whole_percents_from_the_threshold_on(products: list[Product]) -> None:
    calibrating.calibrate(space_of())
    found = similar_products(products[3], limit=20, min_match=75)
    told = [each.match for each in found]
    assert told == sorted(told, reverse=True)
    assert all(75 <= match <= 100 and isinstance(match, int) for match in told)


def test_nobody_reads_scales_who_does_not_ask(products: list[Product]) -> None:
    calibrating.calibrate(space_of())
    with CaptureQueriesContext(connection) as captured:
        found = similar_products(products[0])
    assert "matchscale" not in str(captured.captured_queries)
    assert not hasattr(found[0], "match")


def test_a_page_with_matches_takes_no_statement_more(products: list[Product]) -> None:
    calibrating.calibrate(space_of())
    assert statements(min_match=50) == statements()
    assert statements(min_match=50, diversity=0.3) == statements(diversity=0.3)


def test_a_category_further_away_is_looked_up_once_a_minute(
    products: list[Product], settings: Settings
) -> None:
    settings.IMGREC = {**settings.IMGREC, "category": {"testapp.product": "parent__title"}}
    Product.objects.exclude(pk=products[0].pk).update(parent=products[0])
    calibrating.calibrate(space_of())
    assert set(MatchScale.objects.values_list("category", flat=True)) == {"", "near"}
    products[5].refresh_from_db()
    assert similar_products(products[5], min_match=0)[0].match is not None
    assert statements(min_match=0) == statements()


def test_pages_follow_each_other(products: list[Product]) -> None:
    calibrating.calibrate(space_of())
    first = similar_products(products[0], min_match=20, limit=10)
    second = similar_products(products[0], min_match=20, limit=10, after=first.next)
    assert len({each.pk for each in [*first, *second]}) == 20
    with pytest.raises(NoSuchPage):
        similar_products(products[0], min_match=30, limit=10, after=first.next)


def test_before_calibration_nothing_is_left_out_and_nothing_told(products: list[Product]) -> None:
    found = similar_products(products[0], min_match=99)
    assert [each.match for each in found] == [None] * 8


@pytest.mark.parametrize("wrong", [-1, 101, float("nan")])
def test_no_percentage(products: list[Product], wrong: float) -> None:
    with pytest.raises(ValueError, match="0 to 100"):
        similar_products(products[0], min_match=wrong)


def test_several_of_one_category_and_of_two(products: list[Product]) -> None:
    calibrating.calibrate(space_of())
    space = space_of()
    near, far = products[:2], products[-2:]
    own = matches.scale_for(space, near, "default")
    whole = matches.scale_for(space, [*near, *far], "default")
    assert own is not None
    assert whole is not None
    assert own[50] > whole[50]
    assert similar_products([*near, *far], min_match=0)[0].match is not None


def test_the_tag_shows_it(products: list[Product]) -> None:
    calibrating.calibrate(space_of())
    text = "{% load imgrec %}{% similar_products product limit=2 show_match=True %}"
    body = Template(text).render(Context({"product": products[0]}))
    best = similar_products(products[0], limit=2, min_match=0)[0].match
    assert f'<span class="imgrec-match">{best} % match</span>' in body
    plain = Template(text.replace(" show_match=True", "")).render(Context({"product": products[0]}))
    assert "match" not in plain


def test_products_of_many_photos() -> None:
    items = Item.objects.bulk_create(Item(title=str(i)) for i in range(30))
    photos = ItemPhoto.objects.bulk_create(
        ItemPhoto(item=items[i % 30], image=f"{i}.png") for i in range(60)
    )
    space = space_of("testapp.itemphoto.embedding")
    fill(space, photos, clusters=5)
    neighbours.rebuild(space)
    found = calibrating.calibrate(space)
    assert (found.products, found.categories) == (30, 0)
    assert all(0 <= each.match <= 100 for each in similar_products(items[0], min_match=0))


def test_workers_calibrate_what_has_no_scale_or_an_old_one(products: list[Product]) -> None:
    sweep.sweep()
    before = MatchScale.objects.get(space=LABEL, category="")
    sweep.sweep()
    assert MatchScale.objects.get(space=LABEL, category="").pk == before.pk
    MatchScale.objects.update(calibrated_at=now() - calibrating.GOOD_FOR)
    sweep.sweep()
    assert MatchScale.objects.get(space=LABEL, category="").pk != before.pk


def test_another_setting_is_another_scale(products: list[Product], settings: Settings) -> None:
    calibrating.calibrate(space_of())
    assert similar_products(products[0], min_match=0)[0].match is not None
    settings.IMGREC = {**settings.IMGREC, "category": {}}
    assert similar_products(products[0], min_match=0)[0].match is None
    sweep.sweep()
    matches.forget()
    assert similar_products(products[0], min_match=0)[0].match is not None
    assert not MatchScale.objects.exclude(category="").exists()


def test_a_path_that_leads_nowhere_breaks_no_page_and_no_worker(
    products: list[Product], settings: Settings
) -> None:
    settings.IMGREC = {**settings.IMGREC, "category": {"testapp.Product": "colour"}}
    sweep.sweep()
    assert similar_products(products[0], min_match=0)[0].match is not None


def test_a_new_encoder_is_calibrated_before_it_is_served(products: list[Product]) -> None:
    space = space_of()
    calibrating.calibrate(space)
    old, kept = similar_products(products[3]), share_kept(products[:60])
    other = replace(space, embedder=ColourGrid(dimensions=space.embedder.dimensions, cells=2))
    try:
        register(other)
        space.embedding_model.objects.all().delete()
        store(other, products, seen_with(other, common=1.0))
        Space.objects.filter(label=LABEL).update(served_version=space.embedder.version)
        assert neighbours.switch_when_ready(other)
        matches.forget()
        new, kept_now = similar_products(products[3]), share_kept(products[:60])
    finally:
        register(space)
    assert new[0].similarity < old[0].similarity - 0.2
    assert 0.08 < kept < 0.12
    assert 0.08 < kept_now < 0.12


def test_the_command(products: list[Product]) -> None:
    out = StringIO()
    call_command("imgrec_calibrate", LABEL, stdout=out)
    assert "120 products drawn, 2 categories" in out.getvalue()


@pytest.mark.parametrize(
    ("category", "hint"),
    [
        ({"testapp.Tag": "name"}, "testapp.Product"),
        ({"testapp.Product": "colour"}, "Name a column"),
        ({"testapp.Product": "tags"}, "Name a column"),
    ],
)
def test_the_check(settings: Settings, category: dict[str, str], hint: str) -> None:
    settings.IMGREC = {**settings.IMGREC, "category": category}
    (found,) = check_paths()
    assert found.id == "imgrec.E012"
    assert hint in str(found.hint)


def test_what_is_right_passes_the_check(settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "category": {"testapp.Product": "parent__title"}}
    assert list(check_paths()) == []
