"""Two encoders compared in the admin, and switched there and back."""

from __future__ import annotations

import numpy as np
import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from imgrec import comparing, indexing, neighbours
from imgrec.comparing import Comparison, Pair
from imgrec.served import served_space
from tests.brute_force import similarities
from tests.integration.admin_pages import client_of, text_of, the_space
from tests.pictures import upload
from tests.synthetic import fill
from tests.testapp.models import TwoSpaces

pytestmark = pytest.mark.django_db

FINE, COARSE = "testapp.twospaces.fine", "testapp.twospaces.coarse"
PAGE = f"/admin/imgrec/space/{COARSE}/serve/"


@pytest.fixture
def manager() -> Client:
    return client_of("view_space", "change_space", "view_twospaces")


@pytest.fixture
def products(fresh_index: None) -> list[TwoSpaces]:
    """Forty products whose two spaces have nothing to do with each other."""
    made = TwoSpaces.objects.bulk_create(TwoSpaces(photo=f"two/{n}.png") for n in range(40))
    for seed, label in enumerate((FINE, COARSE)):
        fill(the_space(label), made, clusters=2, seed=seed)
        neighbours.rebuild(the_space(label))
    return made


def truth(label: str, k: int, allowed: set[int]) -> dict[int, list[int]]:
    """Return what brute force shows beside each product."""
    items, table = similarities(the_space(label))
    np.fill_diagonal(table, -1)
    order = [[items[i] for i in row if items[i] in allowed] for row in np.argsort(-table)]
    return {
        item: [other for other in row if other != item][:k]
        for item, row in zip(items, order, strict=True)
    }


def test_overlap_is_that_of_what_shoppers_see(products: list[TwoSpaces]) -> None:
    TwoSpaces.objects.filter(pk=products[0].pk).update(published=False)
    TwoSpaces.objects.filter(pk__in=[each.pk for each in products[1:9]]).update(stock=0)
    seen = {each.pk for each in products[9:]}
    a, b = truth(FINE, 8, seen), truth(COARSE, 8, seen)
    found = comparing.compare(the_space(FINE), the_space(COARSE), 8)
    assert {each.key for each in found.pairs} == {each.pk for each in products[1:]}
    assert all((set(p.a), set(p.b)) == (set(a[p.key]), set(b[p.key])) for p in found.pairs)
    shares = [len(set(a[p.key]) & set(b[p.key])) / 8 for p in found.pairs]
    assert found.overlap == pytest.approx(sum(shares) / len(shares))
    assert 0 < sum(shares) < len(shares), "nothing would be tested"
    assert (found.is_whole, found.margin) == (True, 0.0)


def test_a_sample_says_how_far_off_it_may_be(
    products: list[TwoSpaces], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = comparing.compare(the_space(FINE), the_space(COARSE))
    monkeypatch.setattr(comparing, "SAMPLE", 15)
    part = comparing.compare(the_space(FINE), the_space(COARSE))
    assert (len(part.pairs), part.is_whole) == (15, False)
    assert part.margin > 0
    assert part.overlap == pytest.approx(whole.overlap or 0, abs=2 * part.margin)
    assert comparing.compare(the_space(FINE), the_space(COARSE)).pairs == part.pairs


def test_a_large_table_is_not_read_whole(
    products: list[TwoSpaces], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "READ_ROWS", 10)
    found = comparing.compare(the_space(FINE), the_space(COARSE))
    assert len(found.pairs) < len(products)


def test_the_histogram_counts_every_list() -> None:
    pairs = [Pair(1, [2, 3], [3, 4]), Pair(2, [1, 3], [1, 3]), Pair(3, [], []), Pair(4, [1], [])]
    found = Comparison(2, pairs, is_whole=True)
    assert found.histogram() == [2, 1, 1]
    assert [each.overlap for each in found.pairs] == [0.5, 1, 1, 0]
    assert found.changed_first()[0].key == 4
    assert Comparison(2, [], is_whole=True).overlap is None


def test_the_page_shows_both_and_what_changes(products: list[TwoSpaces], manager: Client) -> None:
    found = comparing.compare(the_space(FINE), the_space(COARSE))
    body = text_of(manager.get(PAGE))
    assert f"overlap@8: {found.overlap:.2f}" in body
    assert "Of the lists of all 40 products" in body
    assert "Serve coarse" in body
    assert "Serve fine" not in body
    lists = found.histogram()[2]
    assert f"2 shared: {lists} list" in body
    worst = found.changed_first()[0]
    assert f"/admin/testapp/twospaces/{worst.key}/change/" in body
    own = sum(8 - each.shared for each in found.changed_first()[:12] if each.overlap < 1)
    assert body.count("only here") == 2 * own


def test_there_and_back_with_one_click_each(products: list[TwoSpaces], manager: Client) -> None:
    body = text_of(manager.post(PAGE, {"serve": COARSE}, follow=True))
    assert f"Shoppers now see the similar products of {COARSE}." in body
    assert "The way back: “Back to fine” below" in body
    assert f'value="{FINE}">Back to fine' in body
    assert served_space(TwoSpaces).label == COARSE
    body = text_of(manager.post(PAGE, {"serve": FINE}, follow=True))
    assert served_space(TwoSpaces).label == FINE
    assert "Serve coarse" in body
    told = LogEntry.objects.order_by("pk").values_list("object_id", flat=True)
    assert list(told) == [COARSE, FINE]


def test_lists_that_are_not_there_yet_are_a_reason_not_to(
    products: list[TwoSpaces], manager: Client
) -> None:
    space = the_space(COARSE)
    space.list_model.objects.filter(owner__in=products[:3]).delete()
    assert "3 products have no list in coarse yet." in text_of(manager.get(PAGE))
    body = text_of(manager.post(PAGE, {"serve": COARSE}, follow=True))
    assert f"Not switched: 3 products have no list in {COARSE} yet." in body
    assert served_space(TwoSpaces).label == FINE
    assert not LogEntry.objects.exists()
    manager.post(PAGE, {"serve": COARSE, "anyway": "1"})
    assert served_space(TwoSpaces).label == COARSE
    # the way back is never barred by what only the other one lacks
    manager.post(PAGE, {"serve": FINE})
    assert served_space(TwoSpaces).label == FINE


def test_pictures_only_for_those_who_may_view_the_products(products: list[TwoSpaces]) -> None:
    body = text_of(client_of("view_space", "change_space").get(PAGE))
    assert "overlap@8" in body
    assert "only here" not in body
    assert "/admin/testapp/twospaces/" not in body


def test_the_page_asks_no_more_of_a_larger_shop(
    products: list[TwoSpaces],
    manager: Client,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    manager.get(PAGE)
    with django_assert_max_num_queries(35):
        manager.get(PAGE)


def test_nothing_to_compare_yet(manager: Client) -> None:
    TwoSpaces.objects.create(photo=upload(0.2))
    assert "Nothing to compare yet" in text_of(manager.get(PAGE))
    indexing.work()
    body = text_of(manager.get(PAGE))
    assert "No list changes." in body


@pytest.mark.parametrize("against", ["testapp.product.embedding", COARSE, "nonsense"])
def test_only_spaces_of_the_same_products_are_compared(manager: Client, against: str) -> None:
    assert manager.get(PAGE, {"against": against}).status_code == 404


def test_a_space_without_another_has_nothing_to_switch(manager: Client) -> None:
    body = text_of(manager.get("/admin/imgrec/space/testapp.product.embedding/serve/"))
    assert "This space is served already, and the products have no other." in body


def test_who_may_switch(products: list[TwoSpaces]) -> None:
    for client in (client_of("view_space"), client_of(), client_of("change_space", csrf=True)):
        assert client.post(PAGE, {"serve": COARSE}).status_code == 403
    assert Client().post(PAGE, {"serve": COARSE}).status_code == 302
    assert served_space(TwoSpaces).label == FINE
