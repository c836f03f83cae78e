"""A few products with vectors, without a worker: what is tested here is the shop, not imgrec."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from demo_shop.catalogue.models import Category, Product
from imgrec import neighbours, paused
from imgrec.served import served_space
from tests.pictures import upload

MakeProduct = Callable[..., Product]


@pytest.fixture
def make_product(db: None) -> Iterator[MakeProduct]:
    """A function that saves a product; its keyword arguments are laid over sensible ones."""

    def make(title: str = "Mug", *, shelf: str = "Mugs", **values: object) -> Product:
        category, _ = Category.objects.get_or_create(name=shelf, slug=shelf.lower())
        number = Product.objects.count() + 1
        usual = {"sku": f"SKU-{number}", "price": "12.50", "stock": 5, "photo": upload(0.1)}
        return Product.objects.create(title=title, category=category, **{**usual, **values})

    with paused():
        yield make


@pytest.fixture
def put_in_space() -> Callable[..., None]:
    """A function that places products on a line, each next to its neighbours, and builds lists."""

    def put(*products: Product) -> None:
        space = served_space(Product)
        for step, product in enumerate(products):
            angle = step / len(products)
            vector = np.zeros(space.embedder.dimensions)
            vector[:2] = np.cos(angle), np.sin(angle)
            space.embedding_model.objects.create(
                owner=product,
                vector=vector.tolist(),
                source_name=product.photo.name,
                sha256="0" * 64,
                version=space.embedder.version,
                job_id=0,
                embedded_at=timezone.now(),
            )
        neighbours.rebuild(space)

    return put


@pytest.fixture
def visitor(client: Client) -> Client:
    """Somebody who looks at the shop's pages."""
    return client
