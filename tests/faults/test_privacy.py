"""A shopper's photo is looked at and forgotten: not in answers, logs, files, nor in Redis."""

from __future__ import annotations

import logging
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core import serializers
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import include, path
from PIL.PngImagePlugin import PngInfo
from pytest_django import Settings
from rest_framework.serializers import ModelSerializer

from imgrec import indexing
from tests.pictures import picture, upload
from tests.testapp.models import Product
from tests.worker import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

urlpatterns = [
    path("api/", include("imgrec.rest_framework.urls")),
    path("imgrec/", include("imgrec.urls")),
]
PHOTO = "/api/testapp/product/similar-to-photo/"
# As text, JSON, a repr or SQL: so many numbers one after the other are a vector.
VECTOR = re.compile(rb"(?:-?\d+(?:\.\d+)?(?:e-?\d+)?[,\s]+){10}-?\d", re.IGNORECASE)


class EverythingSerializer(ModelSerializer[Product]):
    """The laziest serializer a shop may write."""

    class Meta:
        model = Product
        fields = "__all__"


def marked_photo(mark: str) -> bytes:
    """Return a PNG that names its mark, uncompressed."""
    chunks, out = PngInfo(), BytesIO()
    chunks.add_text("Comment", mark)
    picture(0.1).save(out, "PNG", pnginfo=chunks)
    return out.getvalue()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of its own, for this process and the worker."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_nothing_of_a_shoppers_photo_is_kept(
    temporary: Path,
    tmp_path: Path,
    media: Path,
    environment: Callable[..., dict[str, str]],
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 100  # Django would write the photo to a file
    settings.IMGREC = {**settings.IMGREC, "photo_wait_seconds": 30.0}
    caplog.set_level(logging.DEBUG)
    for hue in (0.0, 0.02, 0.31):
        Product.objects.create(title="Chair", photo=upload(hue))
    indexing.work()
    mark = f"mark-{secrets.token_hex(12)}"
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.flushdb()
    worker = Worker(environment(), log=tmp_path / "worker.log", level="DEBUG")
    try:
        good = SimpleUploadedFile(f"{mark}.png", marked_photo(mark), "image/png")
        bad = SimpleUploadedFile(f"{mark}.png", marked_photo(mark)[:-40], "image/png")
        answers = [Client().post(PHOTO, {"photo": each}) for each in (good, bad)]
    finally:
        worker.stop()
    assert [answer.status_code for answer in answers] == [200, 422]
    assert len(answers[0].json()["results"]) == 3
    said = [answer.content for answer in answers]
    said += [caplog.text.encode(), worker.log().encode()]
    said += [file.read_bytes() for file in _files(temporary, media)]
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        said += [client.dump(key) or b"" for key in client.keys("imgrec:*")]
    assert not [each[:300] for each in said if mark.encode() in each]
    assert not [found[0] for each in said if (found := VECTOR.search(each))]


def _files(*folders: Path) -> list[Path]:
    found = [
        Path(at) / name for folder in folders for at, _, names in os.walk(folder) for name in names
    ]
    return [file for file in found if file.is_file()]


def test_the_search_for_vectors_would_find_one() -> None:
    vector = indexing_vector()
    for text in (str(vector), repr(tuple(vector)), " ".join(map(str, vector))):
        assert VECTOR.search(text.encode())
    assert not VECTOR.search(b"2026-11-23 01:42:06,123 3 photos in 0.4 s, 12 of 14")


def indexing_vector() -> Any:
    return [0.1234, -0.5, 1e-05, 0.0, 0.25, -0.125, 0.75, 0.001, 0.3, 0.5, 0.7, 0.9]


def test_no_answer_of_the_shop_carries_a_vector(client: Client) -> None:
    made = [Product.objects.create(title="Chair", photo=upload(hue)) for hue in (0.0, 0.3)]
    indexing.work()
    answer = client.get(f"/api/testapp/product/{made[0].pk}/similar/")
    said = [answer.content, str(EverythingSerializer(made, many=True).data).encode()]
    said.append(serializers.serialize("json", Product.objects.all()).encode())
    said.append(repr(list(Product.objects.similar_to(made[0]).values())).encode())
    assert len(answer.json()["results"]) == 1
    assert not [found[0] for each in said if (found := VECTOR.search(each))]
    assert not [each for each in said if b"embedding" in each.replace(b"product.embedding", b"")]
