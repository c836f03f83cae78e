"""Shoppers' photos are answered while every photo of the shop is embedded."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from PIL import Image
from pytest_django import Settings

from imgrec import runs, similar_to_photo, space_rows
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.testapp.models import Product
from tests.worker import Worker

P95_SECONDS = 2.0
FEWEST = 20


@pytest.fixture
def space(db: None) -> SpaceDefinition:
    space_rows.sync()
    found = space_by_label("testapp.product.embedding")
    assert found is not None
    return found


def photographed(count: int) -> None:
    """Make products whose photos are of a phone's size, no two of the same bytes."""
    bodies = []
    for number in range(8):
        out = BytesIO()
        noise = Image.effect_noise((400, 300), 40 + number).resize((2000, 1500))
        Image.merge("RGB", [noise, noise.rotate(180), noise]).save(out, "JPEG", quality=85)
        bodies.append(out.getvalue())
    for begin in range(0, count, 100):
        Product.objects.bulk_create(
            Product(photo=ContentFile(bodies[number % 8] + b"%08d" % number, name="photo.jpg"))
            for number in range(begin, min(begin + 100, count))
        )


def asked_while_running(space: SpaceDefinition) -> list[float]:
    """Search by one photo after the other until the run is done; return each one's seconds."""
    photo = BytesIO()
    Image.linear_gradient("L").convert("RGB").save(photo, "JPEG")
    took = []
    while runs.progress(space).running:
        started_at = time.monotonic()
        similar_to_photo(photo.getvalue(), model=Product)
        took.append(time.monotonic() - started_at)
    return took


@pytest.mark.timeout(1800)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [400, pytest.param(5_000, marks=pytest.mark.full)])
def test_photos_are_answered_during_a_full_reindex(
    count: int, space: SpaceDefinition, settings: Settings, start_worker: Callable[..., Worker]
) -> None:
    settings.IMGREC = {**settings.IMGREC, "photo_per_minute": 0}
    photographed(count)
    start_worker()
    assert runs.start(space) == count
    took = asked_while_running(space)
    assert len(took) >= FEWEST
    assert statistics.quantiles(took, n=20)[-1] <= P95_SECONDS
    assert space.embedding_model.objects.count() == count
