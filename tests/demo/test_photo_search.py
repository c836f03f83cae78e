"""Find similar to my photo: results with a preview, and kind words for everything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from demo_shop.catalogue import preview
from demo_shop.checking.pages import Page
from imgrec import photo_queries, uploads
from imgrec.errors import PhotoSearchUnavailable
from tests.demo.conftest import MakeProduct
from tests.pictures import picture, png

pytestmark = [pytest.mark.urls("demo_shop.urls"), pytest.mark.django_db]
PATH = "/similar-to-my-photo/"


def send(client: Client, data: bytes, name: str = "mine.png") -> Any:
    return client.post(PATH, {"photo": SimpleUploadedFile(name, data)})


def answer_with(monkeypatch: pytest.MonkeyPatch, answer: Callable[..., Any]) -> None:
    """Stand in for the worker."""
    monkeypatch.setattr(photo_queries, "ask", answer)


@pytest.fixture
def client_with_csrf(settings: Settings) -> Client:
    settings.IMGREC = {**settings.IMGREC, "redis_url": "redis://127.0.0.1:1/0"}
    return Client(enforce_csrf_checks=True)


def test_the_form_says_what_may_be_sent(visitor: Client) -> None:
    text = visitor.get(PATH).content.decode()
    assert 'enctype="multipart/form-data"' in text
    assert "up to 8 MB" in text


def test_results_come_nearest_first_with_the_visitors_photo(
    visitor: Client,
    make_product: MakeProduct,
    put_in_space: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    products = [make_product(f"Mug {number}") for number in range(3)]
    put_in_space(*products)

    def worker(space: Any, data: bytes) -> Any:
        return np.eye(1, space.embedder.dimensions, dtype=np.float32)[0]

    answer_with(monkeypatch, worker)
    response = send(visitor, png(picture(0.3)))
    assert response.status_code == 200
    text = response.content.decode()
    assert list(Page(text).similarities) == [product.pk for product in products]
    assert 'src="data:image/jpeg;base64,' in text


def test_no_photo_at_all(visitor: Client) -> None:
    response = visitor.post(PATH, {})
    assert response.status_code == 422
    assert "Choose a photo first." in response.content.decode()


@pytest.mark.parametrize(
    ("data", "status", "told"),
    [
        (b"", 422, "This file is empty"),
        (b"words, not a picture " * 20, 422, "does not look like a photo"),
        (b"\0" * 8_000_001, 413, "too large"),
    ],
)
def test_what_is_no_photo_is_told_kindly(
    visitor: Client, settings: Settings, data: bytes, status: int, told: str
) -> None:
    settings.IMGREC = {**settings.IMGREC, "redis_url": "redis://127.0.0.1:1/0"}
    response = send(visitor, data)
    assert response.status_code == status
    text = response.content.decode()
    assert told in text
    assert 'role="alert"' in text


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("no_answer", 503, "try again in a moment"),
        ("busy", 503, "try again in a moment"),
        ("off", 404, "switched off"),
    ],
)
def test_a_search_that_cannot_be_done_now(
    visitor: Client, monkeypatch: pytest.MonkeyPatch, code: str, status: int, told: str
) -> None:
    def worker(space: Any, data: bytes) -> Any:
        raise PhotoSearchUnavailable(code)

    answer_with(monkeypatch, worker)
    response = send(visitor, png(picture(0.3)))
    assert response.status_code == status
    assert told in response.content.decode()


@pytest.mark.parametrize("data", [b"", b"no picture", png(picture(0.1))[:60]])
def test_a_photo_that_cannot_be_shown_has_no_preview(data: bytes) -> None:
    assert preview.preview_uri(SimpleUploadedFile("a.png", data)) == ""


def test_a_very_large_photo_is_not_decoded_for_a_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = SimpleUploadedFile("a.png", png(picture(0.1, size=64)))
    assert preview.preview_uri(photo).startswith("data:image/jpeg;base64,")
    monkeypatch.setattr(preview, "MOST_PIXELS", 64 * 63)
    assert preview.preview_uri(photo) == ""


def test_the_token_is_still_looked_for(client_with_csrf: Client) -> None:
    token = client_with_csrf.get(PATH).cookies["csrftoken"].value
    assert send(client_with_csrf, b"no photo").status_code == 403
    photo = SimpleUploadedFile("mine.png", b"no photo")
    form = {"photo": photo, "csrfmiddlewaretoken": token}
    assert client_with_csrf.post(PATH, form).status_code == 422


def test_a_body_that_is_too_long_is_not_read(
    client_with_csrf: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*args: Any) -> None:
        raise AssertionError("the body was read")

    client_with_csrf.get(PATH)
    monkeypatch.setattr("django.http.HttpRequest._load_post_and_files", read)
    response = send(client_with_csrf, bytes(8_000_000 + uploads.FRAMING_BYTES))
    assert response.status_code == 413
    assert "too large" in response.content.decode()


@pytest.mark.parametrize("size", [5_000_000, 8_000_001])
def test_a_photo_never_becomes_a_temporary_file(
    visitor: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings, size: int
) -> None:
    def write(*args: Any) -> None:
        raise AssertionError("a temporary file was made")

    name = "django.core.files.uploadedfile.TemporaryUploadedFile.__init__"
    monkeypatch.setattr(name, write)
    settings.IMGREC = {**settings.IMGREC, "redis_url": "redis://127.0.0.1:1/0"}
    assert send(visitor, bytes(size)).status_code == (413 if size > 8_000_000 else 422)
