"""Every admin page by method and by who asks: GET changes nothing, POST needs the permission."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from imgrec.models import EmbeddingJob, Space
from tests.integration.admin_pages import client_of, make_failed, make_products, page
from tests.testapp.admin import ProductAdmin

pytestmark = pytest.mark.django_db

WHO: dict[str, tuple[str, ...] | None] = {
    "anonymous": None,
    "none": (),
    "view": ("view_product",),
    "change": ("view_product", "change_product"),
}
# page, method -> what each of the four above gets
ANSWERS = {
    ("overview", "get"): (302, 403, 200, 200),
    ("overview", "post"): (302, 405, 405, 405),
    ("run", "get"): (302, 405, 405, 405),
    ("reindex", "get"): (302, 403, 403, 200),
    ("reindex", "post"): (302, 403, 403, 302),
    ("reindex", "put"): (302, 405, 405, 405),
    ("progress", "get"): (302, 403, 200, 200),
    ("progress", "post"): (302, 405, 405, 405),
    ("progress_data", "get"): (302, 403, 200, 200),
    ("progress_data", "post"): (302, 405, 405, 405),
    ("failed", "get"): (302, 403, 200, 200),
    ("failed", "post"): (302, 405, 405, 405),
    ("retry", "get"): (302, 405, 405, 405),
    ("retry", "post"): (302, 403, 403, 302),
}


def everything() -> list[Any]:
    """Return all that a page could have changed."""
    return [
        list(EmbeddingJob.objects.order_by("id").values()),
        list(Space.objects.order_by("label").values()),
    ]


@pytest.fixture
def shop() -> None:
    make_products(2)
    make_failed()


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(("name", "method"), ANSWERS)
def test_who_may_do_what(shop: None, name: str, method: str, who: str) -> None:
    permissions = WHO[who]
    client = Client() if permissions is None else client_of(*permissions)
    before = everything()
    response = getattr(client, method)(page(name), {"retry": "all"} if method == "post" else None)
    expected = ANSWERS[name, method][list(WHO).index(who)]
    assert response.status_code == expected
    if who == "anonymous":
        assert response["Location"].startswith("/admin/login/")
    may_change = (name, method, who) in {("reindex", "post", "change"), ("retry", "post", "change")}
    assert (everything() != before) == may_change


@pytest.mark.parametrize("name", ["reindex", "retry"])
def test_a_post_needs_the_csrf_token(shop: None, name: str) -> None:
    client = client_of("view_product", "change_product", csrf=True)
    before = everything()
    assert client.post(page(name), {"retry": "all"}).status_code == 403
    assert everything() == before
    client.get(page("failed"))  # its form sets the cookie
    token = client.cookies["csrftoken"].value
    form = {"retry": "all", "csrfmiddlewaretoken": token}
    assert client.post(page(name), form).status_code == 302
    assert everything() != before


def test_staff_only(shop: None) -> None:
    client = client_of("view_product", "change_product", staff=False)
    assert client.post(page("reindex")).status_code == 302
    assert not Space.objects.filter(run_started_at__isnull=False).exists()


def test_the_shop_decides_who_reindexes(shop: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProductAdmin, "has_reindex_permission", lambda self, request: False)
    client = client_of("view_product", "change_product")
    assert client.post(page("reindex")).status_code == 403
    assert client.post(page("retry"), {"retry": "all"}).status_code == 403
    body = client.get("/admin/testapp/product/").content.decode()
    assert "reindex_selected" not in body
    assert "Reindex all" not in body


def test_no_such_space() -> None:
    client = client_of("view_product", "change_product")
    for name in ("reindex", "progress", "progress_data", "failed"):
        assert client.get(page(name, space="testapp.twospaces.fine")).status_code == 404


def test_the_action_is_hidden_without_the_permission(shop: None) -> None:
    viewer = client_of("view_product").get("/admin/testapp/product/").content.decode()
    changer = client_of("view_product", "change_product").get("/admin/testapp/product/")
    assert "reindex_selected" not in viewer
    assert "Reindex all" not in viewer
    assert "Reindex progress" in viewer
    assert "reindex_selected" in changer.content.decode()


def test_the_action_cannot_be_forced(shop: None) -> None:
    client = client_of("view_product")
    before = everything()
    form = {"action": "reindex_selected", "_selected_action": ["1"]}
    assert client.post("/admin/testapp/product/", form).status_code in (302, 403, 200)
    assert everything() == before


SPACE = "/admin/imgrec/space/testapp.twospaces.coarse/serve/"


@pytest.mark.parametrize(
    ("permissions", "get", "post"),
    [(None, 302, 302), ((), 403, 403), (("view_space",), 403, 403), (("change_space",), 200, 302)],
)
def test_who_may_serve_a_space(permissions: tuple[str, ...] | None, get: int, post: int) -> None:
    client = Client() if permissions is None else client_of(*permissions)
    before = everything()
    assert client.get(SPACE).status_code == get
    assert everything() == before
    assert client.post(SPACE).status_code == post
    assert (everything() != before) == (permissions == ("change_space",))


def test_serving_needs_the_csrf_token() -> None:
    client = client_of("change_space", csrf=True)
    assert client.post(SPACE).status_code == 403
    assert Space.objects.get(label="testapp.twospaces.fine").is_served


def test_jobs_and_spaces_are_neither_made_nor_deleted(shop: None) -> None:
    User.objects.create_superuser("root", password="x")
    client = Client()
    client.force_login(User.objects.get(username="root"))
    job = EmbeddingJob.objects.get()
    before = everything()
    for url in (
        "/admin/imgrec/space/add/",
        "/admin/imgrec/space/testapp.twospaces.coarse/delete/",
        "/admin/imgrec/embeddingjob/add/",
        f"/admin/imgrec/embeddingjob/{job.pk}/delete/",
    ):
        assert client.post(url, {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/imgrec/embeddingjob/{job.pk}/change/", {}).status_code == 403
    assert client.get(f"/admin/imgrec/embeddingjob/{job.pk}/change/").status_code == 200
    assert everything() == before
