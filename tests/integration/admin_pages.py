"""What the tests of the admin share: who is asking, and where."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from imgrec import indexing
from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.pictures import upload
from tests.testapp.models import Product

PRODUCT = "testapp.product.embedding"


def client_of(*permissions: str, staff: bool = True, csrf: bool = False) -> Client:
    """Return a client logged in as somebody with these permissions ("view_product")."""
    user = User.objects.create(username=f"user {User.objects.count()}", is_staff=staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(user)
    return client


def page(name: str, model: str = "product", **query: str) -> str:
    """Return the address of one of our pages."""
    return reverse(f"admin:testapp_{model}_imgrec_{name}", query=query or None)


def the_space(label: str = PRODUCT) -> SpaceDefinition:
    """Return a space that is there."""
    found = space_by_label(label)
    assert found is not None
    return found


def make_products(count: int = 4, **values: Any) -> list[Product]:
    """Save products with photos and index them."""
    made = [
        Product.objects.create(title=f"Product {n}", photo=upload(n / count), **values)
        for n in range(count)
    ]
    indexing.work()
    return made


def make_failed(title: str = "Broken", *, name: str = "broken.png") -> Product:
    """Save a product whose photo cannot be read."""
    made = Product.objects.create(title=title, photo=ContentFile(b"no picture at all", name=name))
    indexing.work()
    assert EmbeddingJob.objects.filter(object_pk=str(made.pk), state="failed").exists()
    return made


def text_of(response: Any) -> str:
    """Return the body of a page that was found."""
    assert response.status_code == 200, (response.status_code, response.content[:300])
    body: str = response.content.decode()
    return body
