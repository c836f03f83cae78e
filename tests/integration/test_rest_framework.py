"""The API: a mixin for the shop's own viewset, ready addresses, and search by photo."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from PIL import Image
from pytest_django import Settings
from rest_framework import permissions, throttling, viewsets
from rest_framework.authentication import SessionAuthentication
from rest_framework.filters import SearchFilter
from rest_framework.routers import DefaultRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient

from imgrec import calibrating, indexing, matches, similar_products, space_rows, uploads
from imgrec.rest_framework.mixins import SimilarProductsMixin
from imgrec.served import served_space
from tests.pictures import picture, png, upload
from tests.shapes import SHAPES, Shape
from tests.steering import rule
from tests.testapp.models import Item, ItemPhoto, Product, Tag, TwoSpaces
from tests.worker import Worker

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

HUES = [0.0, 0.02, 0.31, 0.33, 0.66]
PHOTO = "/products/similar-to-photo/"


class ProductSerializer(ModelSerializer[Product]):
    """The shop's own idea of a product."""

    class Meta:
        model = Product
        fields = ["id", "title", "price"]


class ProductViewSet(SimilarProductsMixin, viewsets.ModelViewSet[Product]):
    """The shop's own: nothing dear is shown."""

    serializer_class = ProductSerializer
    filter_backends = [SearchFilter]
    search_fields = ["title"]

    def get_queryset(self) -> models.QuerySet[Product]:
        return Product.objects.filter(price__lt=100)


class TaggedViewSet(viewsets.ModelViewSet[Product], SimilarProductsMixin):
    """Filters by a join, and names the mixin last."""

    serializer_class = ProductSerializer
    queryset = Product.objects.filter(tags__name__in=["oak", "old"])


class MembersViewSet(ProductViewSet):
    """For members, who come with a session."""

    authentication_classes = [SessionAuthentication]
    permission_classes = [permissions.IsAuthenticated]


router = DefaultRouter()
router.include_root_view = False
router.register("products", ProductViewSet, basename="product")
router.register("tagged", TaggedViewSet, basename="tagged")
router.register("members", MembersViewSet, basename="member")
urlpatterns = [
    path("", include(router.urls)),
    path("ready/", include("imgrec.rest_framework.urls")),
]


@pytest.fixture
def client() -> APIClient:
    """A client that sees errors as a shop's customers do."""
    return APIClient(raise_request_exception=False)


def _strict(text: str) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in JSON")

    return json.loads(text, parse_constant=refuse)


def get(client: APIClient, address: str, **query: Any) -> tuple[int, Any]:
    """Return the status and the JSON, which must hold no NaN."""
    answer = client.get(address, query)
    return answer.status_code, _strict(answer.content.decode())


def post(
    client: APIClient, content: bytes = b"", *, address: str = PHOTO, **form: Any
) -> tuple[int, Any]:
    """Post a photo; return the status and the JSON."""
    photo = SimpleUploadedFile("mine.png", content or png(picture(0.0)), "image/png")
    answer = client.post(address, {"photo": photo, **form}, format="multipart")
    return answer.status_code, _strict(answer.content.decode())


def make_products() -> list[Product]:
    made = [
        Product.objects.create(title=f"Chair {i}", photo=upload(hue)) for i, hue in enumerate(HUES)
    ]
    indexing.work()
    return made


@pytest.fixture
def products() -> list[Product]:
    """Two reds, two greens and a blue, indexed."""
    return make_products()


def similar(product: Product) -> str:
    return f"/products/{product.pk}/similar/"


def test_answers_with_the_shops_serializer_and_a_similarity(
    client: APIClient, products: list[Product]
) -> None:
    status, answer = get(client, similar(products[0]))
    found = similar_products(products[0])
    assert status == 200
    assert {**answer, "results": None} == {
        "indexed": True,
        "way": "list",
        "space": "testapp.product.embedding",
        "next": None,
        "results": None,
    }
    assert answer["results"] == [
        {"id": p.pk, "title": p.title, "price": "0.00", "similarity": round(p.similarity, 6)}
        for p in found
    ]


def test_the_shops_queryset_decides_about_seed_and_results(
    client: APIClient, products: list[Product]
) -> None:
    Product.objects.filter(pk=products[1].pk).update(price=500)
    _status, answer = get(client, similar(products[0]))
    assert [each["id"] for each in answer["results"]] == [
        p.pk for p in similar_products(products[0])
    ][1:]
    assert get(client, similar(products[1]))[0] == 404


def test_the_shops_filters_apply(client: APIClient, products: list[Product]) -> None:
    Product.objects.filter(pk__in=[products[0].pk, products[3].pk]).update(title="Oak")
    _status, answer = get(client, similar(products[0]), search="oak")
    assert [each["id"] for each in answer["results"]] == [products[3].pk]


def test_a_join_in_the_shops_queryset_does_not_double(
    client: APIClient, products: list[Product]
) -> None:
    tags = [Tag.objects.create(name=name) for name in ("oak", "old")]
    for product in products[:3]:
        product.tags.set(tags)
    products[0].tags.set(tags[:1])
    _status, answer = get(client, f"/tagged/{products[0].pk}/similar/")
    assert [each["id"] for each in answer["results"]] == [products[1].pk, products[2].pk]


def test_hidden_and_sold_out_results_go_at_once(client: APIClient, products: list[Product]) -> None:
    Product.objects.filter(pk=products[1].pk).update(published=False)
    Product.objects.filter(pk=products[2].pk).update(stock=0)
    _status, answer = get(client, similar(products[0]))
    assert {each["id"] for each in answer["results"]} == {products[3].pk, products[4].pk}
    assert len(get(client, similar(products[2]))[1]["results"]) == 3, "a sold-out seed has a list"


@pytest.mark.parametrize("address", ["/products/{}/similar/", "/ready/testapp/product/{}/similar/"])
def test_a_hidden_product_answers_byte_for_byte_like_an_unknown_one(
    client: APIClient, products: list[Product], address: str
) -> None:
    Product.objects.filter(pk=products[0].pk).update(published=False)
    answers = [client.get(address.format(key)) for key in (products[0].pk, 10**9, "no-key")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert answers[0].json() == {"detail": "Not found.", "code": "not_found"}


def test_a_product_without_a_vector_is_found_and_not_indexed(client: APIClient) -> None:
    product = Product.objects.create(title="New")
    status, answer = get(client, similar(product))
    assert (status, answer) == (
        200,
        {
            "indexed": False,
            "way": "none",
            "space": "testapp.product.embedding",
            "next": None,
            "results": [],
        },
    )


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "0"}, "min_value"),
        ({"limit": "65"}, "max_value"),
        ({"limit": "-1"}, "min_value"),
        ({"limit": "many"}, "invalid"),
        ({"limit": ""}, "invalid"),
        ({"limit": "1.5"}, "invalid"),
        ({"limit": "9" * 5000}, "max_string_length"),
        ({"min_similarity": "nan"}, "invalid"),
        ({"min_similarity": "-0.1"}, "min_value"),
        ({"min_similarity": "1.1"}, "max_value"),
        ({"min_similarity": "much"}, "invalid"),
        ({"min_match": "nan"}, "invalid"),
        ({"min_match": "101"}, "max_value"),
        ({"after": "x" * 6_001}, "max_length"),
        ({"after": ""}, "blank"),
        ({"group_by": "stock"}, "invalid_choice"),
        ({"group_by": "parent__stock"}, "invalid_choice"),
        ({"price_band": "0"}, "min_value"),
        ({"price_band": "-0.3"}, "min_value"),
        ({"price_band": "nan"}, "invalid"),
        ({"price_band": "inf"}, "invalid"),
        ({"price_band": "wide"}, "invalid"),
        ({"price_band": "0.3"}, "no_price"),
        ({"rescue": "perhaps"}, "invalid"),
        ({"why": "perhaps"}, "invalid"),
        ({"why": ""}, "invalid"),
        ({"limit": ["4", "8"]}, "invalid"),
    ],
)
def test_bad_options_are_told(client: APIClient, query: dict[str, Any], code: str) -> None:
    status, answer = get(client, "/products/1/similar/", **query)
    assert status == 400
    assert set(answer) == {"detail", "code"}
    assert answer["code"] == code
    assert answer["detail"].startswith(next(iter(query)) + ": ")


def test_options_are_obeyed(client: APIClient, products: list[Product]) -> None:
    assert len(get(client, similar(products[0]), limit=2)[1]["results"]) == 2
    assert len(get(client, similar(products[0]), limit=64)[1]["results"]) == 4
    _status, answer = get(client, similar(products[0]), min_similarity=0.9)
    assert [each["id"] for each in answer["results"]] == [products[1].pk]
    assert answer["indexed"], "nothing alike is not the same as not indexed"


def test_matches_are_told_to_those_who_ask(client: APIClient, products: list[Product]) -> None:
    _status, answer = get(client, similar(products[0]), min_match=0)
    assert [each["match"] for each in answer["results"]] == [None] * 4
    space = served_space(Product)
    calibrating.calibrate(space)
    matches.forget()
    _status, answer = get(client, similar(products[0]), min_match=60)
    told = [each["match"] for each in answer["results"]]
    assert told == [each.match for each in similar_products(products[0], min_match=60)]
    assert told
    assert min(told) >= 60


def test_pages_follow_each_other(client: APIClient, products: list[Product]) -> None:
    address, seen, token = similar(products[0]), [], None
    while True:
        query = {"limit": 2, "after": token} if token else {"limit": 2}
        _status, answer = get(client, address, **query)
        seen += [each["id"] for each in answer["results"]]
        token = answer["next"]
        if token is None:
            break
    assert seen == [p.pk for p in similar_products(products[0])]


@pytest.mark.parametrize("of_another", [False, True])
def test_a_page_of_another_list_is_told(
    client: APIClient, products: list[Product], of_another: bool
) -> None:
    token = similar_products(products[1], limit=2).next if of_another else "nonsense"
    status, answer = get(client, similar(products[0]), after=token)
    assert (status, answer["code"]) == (400, "no_such_page")


def test_the_shop_says_what_may_be_grouped_by(
    client: APIClient, products: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProductViewSet, "similar_group_by", ("parent",))
    Product.objects.filter(pk__in=[p.pk for p in products[1:4]]).update(parent=products[1])
    _status, answer = get(client, similar(products[0]), group_by="parent")
    assert [each["id"] for each in answer["results"]] == [products[1].pk, products[4].pk]
    assert get(client, similar(products[0]), group_by="price")[0] == 400


def test_no_number_that_json_lacks(
    client: APIClient, products: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = similar_products(products[0])
    for product, similarity in zip(found, map(float, ("nan", "inf", "-inf", "1")), strict=True):
        product.similarity = similarity
    monkeypatch.setattr("imgrec.similar.similar_products", lambda seed, **options: found)
    status, answer = get(client, similar(products[0]))
    assert status == 200
    assert [each["similarity"] for each in answer["results"]] == [0.0, 0.0, 0.0, 1.0]
    assert get(client, similar(products[0]), min_similarity="inf")[0] == 400


def test_of_several_photos_each_result_says_which_matched(client: APIClient) -> None:
    seed, other = Item.objects.create(title="Seed"), Item.objects.create(title="Other")
    mine = ItemPhoto.objects.create(item=seed, image=upload(0.3))
    ItemPhoto.objects.create(item=other, image=upload(0.8))
    match = ItemPhoto.objects.create(item=other, image=upload(0.31))
    indexing.work()
    _status, answer = get(client, f"/ready/testapp/item/{seed.pk}/similar/")
    (result,) = answer["results"]
    assert result.pop("similarity") > 0.95
    assert result == {
        "pk": other.pk,
        "title": "Other",
        "url": None,
        "image": f"http://testserver{match.image.url}",
        "seed_photo": mine.pk,
        "matched_photo": match.pk,
    }


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_ready_addresses_serve_every_model(client: APIClient, shape: Shape) -> None:
    made = [shape.make(hue) for hue in HUES]
    shape.item.objects.filter(pk=made[1].pk).update(published=False)
    indexing.work()
    meta = shape.space.item_model._meta
    status, answer = get(
        client, f"/ready/{meta.app_label}/{meta.model_name}/{made[0].pk}/similar/", limit=2
    )
    assert (status, answer["indexed"], answer["space"]) == (200, True, shape.label)
    assert len(answer["results"]) == 2
    assert str(made[1].pk) not in [str(each["pk"]) for each in answer["results"]]
    assert {"pk", "title", "url", "image", "similarity"} <= answer["results"][0].keys()
    assert answer["results"][0]["image"].startswith("http://testserver/media/")


def test_an_address_of_the_shops_own_is_absolute(
    client: APIClient, products: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Product, "get_absolute_url", lambda p: f"/p/{p.pk}", raising=False)
    _status, answer = get(client, f"/ready/testapp/product/{products[0].pk}/similar/", limit=1)
    assert answer["results"][0]["url"] == f"http://testserver/p/{products[1].pk}"


@pytest.mark.parametrize(("method", "name"), [("post", "similar"), ("get", "similar-to-photo")])
def test_the_ready_addresses_only_read(client: APIClient, method: str, name: str) -> None:
    where = "1/similar/" if name == "similar" else "similar-to-photo/"
    answer = getattr(client, method)(f"/ready/testapp/product/{where}")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert answer["Imgrec-Api-Version"] == "1"


def test_every_answer_of_ours_says_the_version_and_no_other(
    client: APIClient, products: list[Product]
) -> None:
    for address in (
        similar(products[0]),
        "/products/0/similar/",
        f"{similar(products[0])}?limit=0",
    ):
        assert client.get(address)["Imgrec-Api-Version"] == "1"
    assert client.post(PHOTO)["Imgrec-Api-Version"] == "1"
    assert "Imgrec-Api-Version" not in client.get("/products/")


@pytest.mark.parametrize(("name", "most"), [("integer key", 3), ("many photos", 4)])
def test_costs_the_seed_its_visibility_and_the_list(
    client: APIClient, name: str, most: int
) -> None:
    shape = next(each for each in SHAPES if each.name == name)
    made = [shape.make(hue) for hue in HUES]
    indexing.work()
    model = shape.item._meta.model_name
    for limit in (1, 4):
        with CaptureQueriesContext(connection) as captured:
            get(client, f"/ready/testapp/{model}/{made[0].pk}/similar/", limit=limit)
        asked = [q["sql"] for q in captured if q["sql"].lstrip(" (\n").startswith("SELECT")]
        assert len(asked) == most, asked


def test_the_served_one_of_two_spaces_answers(client: APIClient) -> None:
    made = [TwoSpaces.objects.create(photo=upload(hue)) for hue in HUES]
    indexing.work()
    address = f"/ready/testapp/twospaces/{made[0].pk}/similar/"
    assert get(client, address)[1]["space"] == "testapp.twospaces.fine"
    space_rows.serve("testapp.twospaces.coarse")
    assert get(client, address)[1]["space"] == "testapp.twospaces.coarse"


# Search by photo


@pytest.fixture
def nobody_answers(settings: Settings) -> Iterator[None]:
    """No worker runs, and we do not wait for long."""
    settings.IMGREC = {**settings.IMGREC, "photo_wait_seconds": 0.2}
    return


@pytest.mark.django_db(transaction=True)
def test_a_worker_looks_at_the_photo(client: APIClient, celery_worker: Worker) -> None:
    made = make_products()
    Product.objects.filter(pk=made[1].pk).update(published=False)
    Product.objects.filter(pk=made[3].pk).update(price=500)
    status, answer = post(client, png(picture(0.32)))
    assert status == 200
    assert (answer["indexed"], answer["way"]) == (True, "exact")
    assert answer["space"] == "testapp.product.embedding"
    found = [each["id"] for each in answer["results"]]
    assert found[0] == made[2].pk
    assert set(found) == {made[i].pk for i in (0, 2, 4)}
    assert 0.9 < answer["results"][0]["similarity"] <= 1
    ready = "/ready/testapp/product/similar-to-photo/"
    assert (
        post(client, png(picture(0.32)), address=ready, limit=1)[1]["results"][0]["pk"]
        == made[3].pk
    )
    assert len(post(client, address=f"{PHOTO}?limit=2")[1]["results"]) == 2
    assert post(client, min_similarity=0.999)[1]["results"][0]["id"] == made[0].pk


@pytest.mark.django_db(transaction=True)
def test_of_several_photos_the_one_like_the_shoppers_is_shown(
    client: APIClient, celery_worker: Worker
) -> None:
    item = Item.objects.create(title="Lamp")
    ItemPhoto.objects.create(item=item, image=upload(0.8))
    match = ItemPhoto.objects.create(item=item, image=upload(0.31))
    indexing.work()
    address = "/ready/testapp/item/similar-to-photo/"
    status, answer = post(client, png(picture(0.3)), address=address)
    assert status == 200
    (result,) = answer["results"]
    assert result["matched_photo"] == match.pk
    assert result["image"].endswith(match.image.url)
    assert "seed_photo" not in result


def test_nobody_answers(client: APIClient, nobody_answers: None) -> None:
    started = time.monotonic()
    photo = SimpleUploadedFile("mine.png", png(picture(0.0)), "image/png")
    answer = client.post(PHOTO, {"photo": photo}, format="multipart")
    assert time.monotonic() - started < 2
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) >= 1
    assert answer.json()["code"] == "no_answer"


def test_nobody_carries_the_photo(client: APIClient, settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "redis_url": "redis://127.0.0.1:1/0"}
    assert post(client)[0] == 503


def test_the_feature_is_off(client: APIClient, settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "photo_search": False}
    status, answer = post(client)
    assert (status, answer["code"]) == (404, "off")


def _saved(made: Image.Image, format: str) -> bytes:
    out = BytesIO()
    made.save(out, format)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no picture at all", "not_an_image"),
        (_saved(Image.new("RGB", (40, 40)), "BMP"), "format_not_allowed"),
        (_saved(Image.new("1", (9000, 9000)), "PNG"), "too_many_pixels"),
    ],
)
def test_a_photo_that_cannot_be_used(
    client: APIClient, nobody_answers: None, content: bytes, code: str
) -> None:
    status, answer = post(client, content)
    assert (status, answer["code"]) == (422, code)
    assert set(answer) == {"detail", "code"}


@pytest.mark.django_db(transaction=True)
def test_a_damaged_photo_is_told_by_the_worker(client: APIClient, celery_worker: Worker) -> None:
    noise = Image.effect_noise((200, 200), 80)
    status, answer = post(client, _saved(noise, "PNG")[:-9000])
    assert (status, answer["code"]) == (422, "damaged")


def test_an_empty_file_is_told(client: APIClient, nobody_answers: None) -> None:
    empty = SimpleUploadedFile("mine.png", b"", "image/png")
    answer = client.post(PHOTO, {"photo": empty}, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (422, "empty_file")


def test_a_photo_over_the_limit(client: APIClient, settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "max_upload_bytes": 1000}
    status, answer = post(client, b"x" * 1001)
    assert (status, answer["code"]) == (413, "file_too_large")
    assert "1000 bytes" in answer["detail"]


@pytest.mark.parametrize("address", [PHOTO, "/members/similar-to-photo/"])
def test_a_body_over_the_limit_is_not_read(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    settings.IMGREC = {**settings.IMGREC, "max_upload_bytes": 1000}
    monkeypatch.setattr("django.http.HttpRequest._load_post_and_files", _must_not_be_called)
    monkeypatch.setattr("rest_framework.request.Request._parse", _must_not_be_called)
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(User.objects.create(username="member"))
    status, answer = post(client, b"x" * (1001 + uploads.FRAMING_BYTES), address=address)
    assert (status, answer["code"]) == (413, "file_too_large")


def _must_not_be_called(*args: Any) -> None:
    raise AssertionError("the body was read")


def test_a_photo_never_becomes_a_temporary_file(
    client: APIClient, nobody_answers: None, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(
        "django.core.files.uploadedfile.TemporaryUploadedFile.__init__", _must_not_be_called
    )
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 100
    assert post(client, b"x" * 5000)[1]["code"] == "not_an_image"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"photo": "x"}', "application/json", 415, "unsupported_media_type"),
        (png(picture(0)), "image/png", 415, "unsupported_media_type"),
        (b"photo=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"nonsense", "multipart/form-data", 400, "parse_error"),
        (b"", "multipart/form-data; boundary=x", 400, "required"),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 400, "required"),
    ],
)
def test_a_body_that_is_no_form(
    client: APIClient, body: bytes, content_type: str, status: int, code: str
) -> None:
    answer = client.generic("POST", PHOTO, body, content_type)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_photo_must_be_a_file(client: APIClient) -> None:
    answer = client.post(PHOTO, {"photo": "text"}, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (400, "required")


def test_bad_options_of_a_photo_are_told(client: APIClient) -> None:
    assert post(client, limit=65)[1]["code"] == "max_value"
    assert post(client, min_similarity="nan")[0] == 400


@pytest.mark.parametrize(
    ("address", "form"),
    [("?limit=3&limit=4", {}), ("", {"limit": [3, 4]}), ("?limit=x", {"limit": 3})],
)
def test_an_option_of_a_photo_is_given_once(
    client: APIClient, address: str, form: dict[str, Any]
) -> None:
    """In the address or in the form: of two, one would be passed over."""
    status, answer = post(client, address=f"{PHOTO}{address}", **form)
    assert (status, answer["code"]) == (400, "invalid")
    assert answer["detail"].startswith("limit: ")


def test_an_option_of_a_product_is_given_once(client: APIClient, products: list[Product]) -> None:
    status, answer = get(client, similar(products[0]), limit=[3, 4])
    assert (status, answer["code"]) == (400, "invalid")


def test_a_form_of_too_many_fields_is_json_too(client: APIClient, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3
    status, answer = post(client, **{f"field{i}": "x" for i in range(9)})
    assert (status, answer["code"]) == (400, "bad_request")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    status, answer = post(client, text="x" * 1000)
    assert (status, answer["code"]) == (413, "file_too_large")


def test_the_shops_permissions_apply(client: APIClient, products: list[Product]) -> None:
    for answer in (
        client.get(f"/members/{products[0].pk}/similar/"),
        client.post("/members/similar-to-photo/", {}, format="multipart"),
    ):
        assert answer.status_code == 403
        assert answer.json()["code"] == "not_authenticated"


def test_a_rate_for_photos_limits_photos_alone(
    client: APIClient,
    products: list[Product],
    nobody_answers: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache.clear()
    rates = {"imgrec_photo": "2/hour"}
    monkeypatch.setattr(throttling.ScopedRateThrottle, "THROTTLE_RATES", rates)
    assert [post(client, b"x")[0] for _ in range(3)] == [422, 422, 429]
    answer = client.post(PHOTO, {"photo": upload(0.1)}, format="multipart")
    assert answer.json()["code"] == "throttled"
    assert int(answer["Retry-After"]) > 0
    assert {get(client, similar(products[0]))[0] for _ in range(4)} == {200}
    cache.clear()


def test_the_web_process_does_not_embed(
    client: APIClient, nobody_answers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgrec.testing.ColourGrid.embed", _must_not_be_called)
    assert post(client)[0] == 503


# Rules


def test_staff_see_which_results_are_steered_and_shoppers_do_not(
    client: APIClient, products: list[Product]
) -> None:
    last = similar_products(products[0])[-1]
    rule("pin", last, beside=products[0])
    address = f"/products/{products[0].pk}/similar/"
    _status, body = get(client, address)
    assert body["results"][0]["id"] == last.pk
    assert "steered" not in body["results"][0]
    client.force_authenticate(User.objects.create(username="merchant", is_staff=True))
    _status, body = get(client, address)
    assert [each["steered"] for each in body["results"]] == ["pinned", None, None, None]
