"""Everything that shows similar products, each asked in one way: who is shown, and what is said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponseBase
from django.template import Context, Template
from django.test import Client

from imgrec import similar_products, similar_to_photo
from imgrec.fragments import Fragment
from imgrec.results import SimilarProducts
from tests.faults.rights import Shop, as_tenant
from tests.pictures import picture, png

PHOTO = png(picture(0.5))
TAG = Template("{% load imgrec %}{% similar_products product limit=limit among=among %}")


@dataclass(frozen=True)
class Answer:
    """The keys shown, and all that was said, to compare with another answer."""

    shown: list[Any]
    said: Any


@dataclass(frozen=True)
class Surface:
    """``ask(shop, client, seed)`` asks for the tenant ``shop.asker``.

    ``tenant_of_seed``: whether the seed, too, must be the asker's; ``of_photo``: there is none.
    """

    name: str
    ask: Callable[[Shop, Client, Any], Answer]
    tenant_of_seed: bool = False
    of_photo: bool = False


def _told(found: SimilarProducts) -> Answer:
    return Answer([p.pk for p in found], (list(found), found.way, found.indexed, found.next))


def _python(shop: Shop, client: Client, seed: Any) -> Answer:
    return _told(similar_products(seed, limit=shop.state.limit, among=shop.rows_of(shop.asker)))


def _tag(shop: Shop, client: Client, seed: Any) -> Answer:
    context = {"product": seed, "limit": shop.state.limit, "among": shop.rows_of(shop.asker)}
    return _html(TAG.render(Context(context)))


def _tag_with_manager(shop: Shop, client: Client, seed: Any) -> Answer:
    with as_tenant(shop.asker):
        context = {"product": seed, "limit": shop.state.limit, "among": None}
        return _html(TAG.render(Context(context)))


def _html(html: str, said: Any = None) -> Answer:
    return Answer([int(key) for key in re.findall(r'data-pk="(\d+)"', html)], said or html)


def _fragment(shop: Shop, client: Client, seed: Any, end: str = "") -> Answer:
    search = {"limit": shop.state.limit}
    token = Fragment.of(seed, search, title="Alike", show_similarity=True).token
    with as_tenant(shop.asker):
        response = client.get(f"/imgrec/similar/{token}/{end}")
    return _html(response.text, _all_of(response))


def _page(shop: Shop, client: Client, seed: Any) -> Answer:
    return _fragment(shop, client, seed, "page/")


def _all_of(response: HttpResponseBase) -> Any:
    return response.status_code, sorted(response.headers.items()), response.content


def _viewset(shop: Shop, client: Client, seed: Any) -> Answer:
    headers = {"X-Tenant": shop.asker}
    query = {"limit": shop.state.limit}
    return _json(client.get(f"/own/{seed.pk}/similar/", query, headers=headers))


def _ready(shop: Shop, client: Client, seed: Any) -> Answer:
    label = shop.space.item_model._meta.label_lower.replace(".", "/")
    query = {"limit": shop.state.limit}
    with as_tenant(shop.asker):
        return _json(client.get(f"/ready/{label}/{seed.pk}/similar/", query))


def _json(response: Any) -> Answer:
    found = json.loads(response.content)
    return Answer([each["pk"] for each in found.get("results", [])], _all_of(response))


def _queryset(shop: Shop, client: Client, seed: Any) -> Answer:
    rows: Any = shop.rows_of(shop.asker)
    found = [each.pk for each in rows.similar_to(seed)[: shop.state.limit]]
    return Answer(found, found)


def _photo(shop: Shop, client: Client, seed: Any) -> Answer:
    return _told(similar_to_photo(PHOTO, limit=shop.state.limit, among=shop.rows_of(shop.asker)))


def _photo_endpoint(shop: Shop, client: Client, seed: Any) -> Answer:
    form = {"photo": SimpleUploadedFile("mine.png", PHOTO), "limit": shop.state.limit}
    return _json(client.post("/own/similar-to-photo/", form, headers={"X-Tenant": shop.asker}))


SURFACES = [
    Surface("similar_products()", _python),
    Surface("tag", _tag),
    Surface("tag, tenant by manager", _tag_with_manager),
    Surface("fragment", _fragment, tenant_of_seed=True),
    Surface("page of the list", _page, tenant_of_seed=True),
    Surface("viewset", _viewset, tenant_of_seed=True),
    Surface("ready address", _ready, tenant_of_seed=True),
    Surface("queryset", _queryset),
    Surface("similar_to_photo()", _photo, of_photo=True),
    Surface("photo endpoint", _photo_endpoint, of_photo=True),
]
