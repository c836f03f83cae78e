"""The API: why results are similar, for staff, and search by a part of a photo, for all."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import include, path
from pytest_django import Settings
from rest_framework.test import APIClient
from rest_framework.throttling import ScopedRateThrottle

from imgrec import indexing, photo_queries
from imgrec.embedders.protocol import Staged
from tests.integration.test_why import ASKED, flag
from tests.integration.test_why import a_worker as a_worker  # a fixture
from tests.testapp.models import Product

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls(__name__),
    pytest.mark.usefixtures("a_worker"),
]

urlpatterns = [path("", include("imgrec.rest_framework.urls"))]


@pytest.fixture
def flags() -> list[Product]:
    """One, and one each that has its left and its right half."""
    colours = [("red", "blue"), ("red", "lime"), ("lime", "blue")]
    made = [Product.objects.create(title=str(n), photo=flag(*c)) for n, c in enumerate(colours)]
    indexing.work()
    return made


def get(product: Product, *, staff: bool = False, **query: Any) -> Any:
    """Return the answer about a product's look-alikes."""
    client = APIClient()
    if staff:
        client.force_authenticate(User.objects.create(username="staff", is_staff=True))
    return client.get(f"/testapp/product/{product.pk}/similar/", query)


def keys(answer: Any) -> list[int]:
    """Return the keys of the products of an answer."""
    assert answer.status_code == 200, answer.content
    return [each["pk"] for each in answer.json()["results"]]


def test_staff_is_told_why(flags: list[Product]) -> None:
    first, second = get(flags[0], staff=True, why=1).json()["results"]
    for place, each in enumerate((first, second)):
        why = each["why"]
        assert why["rank"] == place + 1
        assert why["distance"] < 2e-3
        for photo in (why["seed_photo"], why["matched_photo"]):
            assert sum(map(sum, photo["cells"])) == pytest.approx(why["cosine"], abs=1e-4)
            assert photo["seen"] == [0, 0, 1, 1]
            assert photo["regions"][0]["place"]
    assert "why" not in get(flags[0]).json()["results"][0]


def test_nobody_else_is(flags: list[Product]) -> None:
    answer = get(flags[0], why=1)
    assert answer.status_code in (401, 403)
    client = APIClient()
    client.force_authenticate(User.objects.create(username="shopper"))
    assert client.get(f"/testapp/product/{flags[0].pk}/similar/?why=1").status_code == 403
    assert not ASKED


def test_without_a_worker_results_come_unexplained(
    flags: list[Product], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMGREC = {**settings.IMGREC, "photo_wait_seconds": 0.05}
    monkeypatch.setattr(photo_queries, "poke", ASKED.append)
    answer = get(flags[0], staff=True, why=1)
    assert [each["why"] for each in answer.json()["results"]] == [None, None]
    assert len(ASKED) == 1, "once the time is over none is begun"


def test_like_a_part(flags: list[Product]) -> None:
    seed, like_left, like_right = flags
    assert keys(get(seed, part="0,0,0.5,1"))[0] == like_left.pk
    assert keys(get(seed, part="0.5,0,0.5,1", limit=1)) == [like_right.pk]
    Product.objects.filter(pk=like_right.pk).update(published=False)
    assert keys(get(seed, part="0.5,0,0.5,1")) == [like_left.pk]


def test_like_a_part_of_an_uploaded_photo(flags: list[Product]) -> None:
    for part, expected in (("0,0,0.5,1", flags[1]), ("0.5,0,0.5,1", flags[2])):
        photo = SimpleUploadedFile("mine.png", flag("red", "blue").read(), "image/png")
        among = {"photo": photo, "part": part, "limit": 3}
        answer = APIClient().post("/testapp/product/similar-to-photo/", among, format="multipart")
        found = [pk for pk in keys(answer) if pk != flags[0].pk]
        assert found[0] == expected.pk


@pytest.mark.parametrize("name", ["after", "group_by", "price_band", "rescue", "min_match", "why"])
def test_a_part_goes_with_few_options(flags: list[Product], name: str) -> None:
    answer = get(flags[0], staff=True, part="0,0,0.5,1", **{name: "1"})
    assert (answer.status_code, answer.json()["code"]) == (400, "not_with_part")
    assert answer.json()["detail"].startswith(f"{name}: ")
    assert not ASKED


@pytest.mark.parametrize("part", ["", "1,2,3", "0,0,0,0", "nan,0,1,1", "x" * 200])
def test_what_is_no_part(flags: list[Product], part: str) -> None:
    answer = get(flags[0], part=part)
    assert answer.status_code == 400
    assert answer.json()["code"]
    assert answer.json()["detail"].startswith("part: ")


def test_a_hidden_seed_is_unknown(flags: list[Product]) -> None:
    Product.objects.filter(pk=flags[0].pk).update(published=False)
    hidden, unknown = get(flags[0], part="0,0,1,1"), get(Product(pk=9**9), part="0,0,1,1")
    assert (hidden.status_code, hidden.content) == (404, unknown.content)
    assert not ASKED


def test_nobody_answers_and_no_map(
    flags: list[Product], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMGREC = {**settings.IMGREC, "photo_wait_seconds": 0.05}
    with monkeypatch.context() as without:
        without.setattr(photo_queries, "poke", ASKED.append)
        answer = get(flags[0], part="0,0,1,1")
    assert (answer.status_code, answer.json()["code"]) == (503, "no_answer")
    monkeypatch.setattr("imgrec.mapping.Mapped", Staged)  # which it is not
    answer = get(flags[0], part="0,0,1,1")
    assert (answer.status_code, answer.json()["code"]) == (422, "no_feature_map")


def test_the_photos_rate_counts_for_parts_alone(
    flags: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"imgrec_photo": "1/day"})
    assert get(flags[0], part="0,0,1,1").status_code == 200
    assert get(flags[0], part="0,0,1,1").status_code == 429
    assert get(flags[0]).status_code == 200
    cache.clear()
