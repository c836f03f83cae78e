"""The view of docs/front-ends.md that goes on where a list ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.http import Http404
from django.template import engines
from django.test import RequestFactory

from imgrec import indexing
from tests.pictures import upload
from tests.readme import DOCS, snippets
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db

FRONT_ENDS = DOCS / "front-ends.md"
View = Callable[..., str]


@pytest.fixture
def more_like_this() -> View:
    """The view, with its template."""
    (view,) = [each.code for each in snippets("python", page=FRONT_ENDS)]
    codes = [each.code for each in snippets("django", page=FRONT_ENDS)]
    (template,) = [each for each in codes if "more_like_this" in each]
    room: dict[str, Any] = {"Product": Product}
    exec(view, room)  # noqa: S102 - our own page
    told = engines["django"].from_string(template)

    def render(request: Any, name: str, values: dict[str, Any]) -> str:
        assert f"templates/{name} " in template
        return str(told.render(values, request))

    room["render"] = render
    found: View = room["more_like_this"]
    return found


def test_every_look_alike_comes_once(fresh_index: None, more_like_this: View) -> None:
    made = [Product.objects.create(title=f"<{n}>", photo=upload(n / 40)) for n in range(20)]
    indexing.work()
    address, titles, pages = f"/more/{made[0].pk}/", [], 0
    while address:
        html = more_like_this(RequestFactory().get(address), made[0].pk)
        titles += re.findall(r"&lt;(\d+)&gt;", html)
        (address,) = re.findall(r'hx-get="([^"]+)"', html) or [""]
        pages += 1
    assert sorted(map(int, titles)) == list(range(1, 20))
    assert pages == 3


def test_a_page_that_nobody_named_is_none(more_like_this: View) -> None:
    product = Product.objects.create(title="alone")
    with pytest.raises(Http404):
        more_like_this(RequestFactory().get("/", {"after": "x"}), product.pk)
