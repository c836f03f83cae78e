"""What docs/testing-your-shop.md promises to shops that test with imgrec in place."""

from __future__ import annotations

import pytest
from django.db import connection

from imgrec import indexing, similar_products
from imgrec.models import EmbeddingJob
from tests.pictures import upload
from tests.testapp.models import Product


def product(title: str, hue: float) -> Product:
    return Product.objects.create(title=title, photo=upload(hue))


@pytest.mark.django_db
def test_work_is_done_inside_a_test_that_rolls_back() -> None:
    red, crimson = product("red", 0.0), product("crimson", 0.03)
    product("blue", 0.6)
    assert connection.in_atomic_block

    indexing.work()

    assert similar_products(red)[0] == crimson
    assert not EmbeddingJob.objects.exists()


@pytest.mark.django_db
def test_without_work_a_product_has_no_look_alikes() -> None:
    red, _crimson = product("red", 0.0), product("crimson", 0.03)
    found = similar_products(red)
    assert (found, found.indexed) == ([], False)
