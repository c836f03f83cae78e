"""The spaces in the admin: what is ready, what is served, and switching."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from imgrec import indexing
from imgrec.models import Space
from imgrec.served import served_space
from imgrec.spaces import all_spaces
from tests.integration.admin_pages import client_of, make_failed, make_products, text_of
from tests.pictures import upload
from tests.testapp.models import TwoSpaces

pytestmark = pytest.mark.django_db

LIST = "/admin/imgrec/space/"
COARSE = f"{LIST}testapp.twospaces.coarse/serve/"


@pytest.fixture
def manager() -> Client:
    return client_of("view_space", "change_space")


def test_every_space_with_its_counts(manager: Client) -> None:
    make_products(3)
    make_failed()
    body = text_of(manager.get(LIST))
    for space in all_spaces():
        assert space.label in body
    assert "<b>3</b> ready" in body
    assert "<b>1</b> failed" in body
    assert "/admin/testapp/product/imgrec/progress/?space=testapp.product.embedding" in body
    assert "/admin/testapp/item/imgrec/failed/?space=testapp.itemphoto.embedding" in body


def test_one_count_a_space(
    manager: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_products(2)
    with django_assert_max_num_queries(len(all_spaces()) + 7):
        text_of(manager.get(LIST))


def test_only_whether_it_works_can_be_edited(manager: Client) -> None:
    url = f"{LIST}testapp.twospaces.fine/change/"
    body = text_of(manager.get(url))
    assert 'name="is_active"' in body
    for field in ("label", "is_served", "served_version", "run_total"):
        assert f'name="{field}"' not in body
    manager.post(url, {"is_served": "", "label": "other"})
    row = Space.objects.get(label="testapp.twospaces.fine")
    assert (row.is_active, row.is_served) == (False, True)


def test_serving_asks_with_what_is_ready(manager: Client) -> None:
    TwoSpaces.objects.create(photo=upload(0.2))
    body = text_of(manager.get(COARSE))
    assert "Only 0 of 1 photos are ready" in body
    assert "testapp.twospaces.fine" in body
    indexing.work()
    assert "Only" not in text_of(manager.get(COARSE))


def test_served_and_back(manager: Client) -> None:
    for label in ("testapp.twospaces.coarse", "testapp.twospaces.fine"):
        body = text_of(manager.post(f"{LIST}{label}/serve/", follow=True))
        assert f"Shoppers now see the similar products of {label}." in body
        assert served_space(TwoSpaces).label == label
    served = Space.objects.filter(item_model="testapp.twospaces", is_served=True)
    assert served.count() == 1
    assert LogEntry.objects.filter(object_id="testapp.twospaces.coarse").count() == 1


def test_links_to_serve_where_it_makes_sense(manager: Client) -> None:
    body = text_of(manager.get(LIST))
    assert "testapp.twospaces.coarse/serve/" in body
    assert "testapp.twospaces.fine/serve/" not in body


def test_a_row_without_a_field_is_harmless(manager: Client) -> None:
    Space.objects.create(label="gone.product.embedding", item_model="gone.product")
    assert "gone.product.embedding" in text_of(manager.get(LIST))
    assert manager.post(f"{LIST}gone.product.embedding/serve/").status_code == 404
    assert manager.get(f"{LIST}nonsense/serve/").status_code == 404


def test_who_may_only_look_may_not_serve() -> None:
    viewer = client_of("view_space")
    assert "Serve this space" not in text_of(viewer.get(LIST))
