"""Placeholder pictures in the admin: counted, named, and overruled by those who may."""

from __future__ import annotations

from typing import Any

import pytest

from imgrec import indexing, states
from imgrec.models import Placeholder
from tests.integration.admin_pages import client_of, page, text_of, the_space
from tests.pictures import upload
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db
LIST = "/admin/imgrec/placeholder/"


@pytest.fixture(autouse=True)
def _no_image(settings: Any) -> None:
    settings.IMGREC = {**settings.IMGREC, "placeholder_above": 2}
    for _each in range(3):
        Product.objects.create(photo=upload(0.5, name="none.png"))
    Product.objects.create(photo=upload(0.1))
    indexing.work()


def decide(action: str, *permissions: str) -> None:
    row = Placeholder.objects.get()
    data = {"action": action, "_selected_action": [str(row.pk)]}
    client_of(*permissions).post(LIST, data)
    indexing.work()


def ready() -> int:
    return states.count_states(the_space())["ready"]


def test_the_states_count_them() -> None:
    body = text_of(client_of("view_space").get("/admin/imgrec/space/"))
    assert "<b>3</b> excluded" in body
    rows = client_of("view_product").get("/admin/testapp/product/?imgrec_state=excluded")
    assert text_of(rows).count("imgrec-state--excluded") == 3


def test_what_will_never_be_ready_does_not_count_when_a_space_is_switched() -> None:
    url = "/admin/imgrec/space/testapp.product.embedding/serve/"
    response = client_of("view_space", "change_space").get(url)
    (side,) = response.context["sides"]
    assert (side.photos, side.is_whole) == (1, True)


def test_they_are_no_failures() -> None:
    body = text_of(client_of("view_product", "change_product").get(page("failed")))
    assert "No photo failed." in body


def test_they_are_listed() -> None:
    body = text_of(client_of("view_placeholder").get(LIST))
    assert "none" in body
    assert '<td class="field-photos">3</td>' in body


def test_whoever_may_decides() -> None:
    decide("use", "change_placeholder")
    assert ready() == 4
    decide("leave_out", "change_placeholder")
    assert ready() == 1


def test_whoever_may_only_look_does_not() -> None:
    decide("use", "view_placeholder")
    assert ready() == 1
