"""The map of the catalogue: the page, what its script asks for, and the making of a new one."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from imgrec import shells
from imgrec.admin.addresses import address, change_url, url_name
from imgrec.admin.numbers import pace
from imgrec.admin.page import (
    POLL_SECONDS,
    REFRESH_SECONDS,
    for_reindexers,
    for_viewers,
    rendered,
)
from imgrec.admin.photos import photos_of_items
from imgrec.catalogue_map import categories, making, sheets
from imgrec.map_models import CatalogueMap, MapTile
from imgrec.poke import poke
from imgrec.progress import clock
from imgrec.spaces import SpaceDefinition
from imgrec.watching import SILENT_SECONDS

if TYPE_CHECKING:
    from imgrec.admin.mixin import ImgrecAdminMixin

# Sheets never change: a new map has other addresses.
FOR_EVER = "private, max-age=31536000, immutable"


def urls(admin: ImgrecAdminMixin) -> list[Any]:
    """Return the map's url patterns, to stand before the admin's own."""
    views: dict[str, Callable[..., HttpResponse]] = {
        "map": show,
        "map_data": data,
        "map_tile": tile,
        "map_sheet": sheet,
        "map_progress": progress,
        "map_make": make,
    }
    return [
        path(
            f"imgrec/{name.replace('_', '-')}/",
            admin.admin_site.admin_view(partial(view, admin=admin)),
            name=url_name(admin, name),
        )
        for name, view in views.items()
    ]


@require_GET
def show(request: HttpRequest, admin: ImgrecAdminMixin) -> HttpResponse:
    """Show the map, what stands out on it, and how far the next one is."""
    space = for_viewers(request, admin)
    found, coming = making.finished(space), making.unfinished(space)
    context: dict[str, Any] = {"map": found, "coming": coming}
    if found:
        context |= {
            "data_url": address(admin, "map_data", space, map=found.pk),
            "tile_url": address(admin, "map_tile", space, map=found.pk),
            "sheet_url": address(admin, "map_sheet", space, map=found.pk),
            "side": sheets.SIDE,
            "pixels": sheets.PIXELS,
            "items": len(found.points) // 5,
            **_oddities(found, space, admin),
        }
    if coming:
        context |= {
            "said": _said(coming),
            "poll_url": address(admin, "map_progress", space),
            "poll_milliseconds": POLL_SECONDS * 1000,
            "refresh_url": address(admin, "map", space),
            "refresh_seconds": REFRESH_SECONDS,
        }
    if admin.has_reindex_permission(request):
        context["make_url"] = address(admin, "map_make", space)
        context["categories"] = _choices(space)
        context["category"] = found.category if found else categories.usual(space)
    return rendered(request, admin, space, "map", _("Map of the catalogue"), context)


def _choices(space: SpaceDefinition) -> list[str]:
    return list(dict.fromkeys([*categories.paths(space), *filter(None, [categories.usual(space)])]))


@require_POST
def make(request: HttpRequest, admin: ImgrecAdminMixin) -> HttpResponse:
    """Have a map made by a worker, or none."""
    space = for_reindexers(request, admin)
    if "stop" in request.POST:
        making.stop(space)
        admin.message_user(request, _("No new map is being made."), messages.SUCCESS)
    else:
        category = request.POST.get("category", "")
        making.ask(space, category if category in _choices(space) else "")
        transaction.on_commit(partial(poke, "imgrec.make_maps"), using=space.using)
        admin.message_user(request, _("A worker will make the map."), messages.SUCCESS)
    return HttpResponseRedirect(address(admin, "map", space))


@require_GET
def progress(request: HttpRequest, admin: ImgrecAdminMixin) -> JsonResponse:
    """Give what the page says of the map that is being made."""
    space = for_viewers(request, admin)
    coming = making.unfinished(space)
    told = {"said": _said(coming), "done": coming.done} if coming else {"said": {}, "done": 0}
    busy = bool(coming and not coming.message)
    return JsonResponse(told | {"busy": busy, "next": address(admin, "map_progress", space)})


def _said(coming: CatalogueMap) -> dict[str, str]:
    rate = _rate(coming)
    left = (coming.total - coming.done) / rate if rate else 0
    numbers = {"done": number_format(coming.done), "total": number_format(coming.total)}
    summary = capfirst(str(CatalogueMap.Stage(coming.stage).label))
    if coming.total > 1:
        summary = _("%(stage)s: %(done)s of %(total)s") % {"stage": summary, **numbers}
    return {
        "summary": _("The map could not be made.") if coming.message else summary,
        "rate": _("%(n)s per second") % {"n": pace(rate)} if rate else "",
        "left": _("about %(time)s left") % {"time": clock(left)} if left > 1 else "",
        "trouble": coming.message or _silence(coming),
    }


def _silence(coming: CatalogueMap) -> str:
    waits = coming.stage == CatalogueMap.Stage.WAITING
    if not waits or (now() - coming.asked_at).total_seconds() < SILENT_SECONDS:
        return ""
    return _(
        "No worker has taken it yet: is one running, and has it a process free? %(command)s"
    ) % {"command": shells.worker()}


def _rate(coming: CatalogueMap) -> float:
    """Return steps, or photos, per second."""
    if coming.message or not (coming.done and coming.stage_at and coming.moved_at):
        return 0.0
    seconds = (coming.moved_at - coming.stage_at).total_seconds()
    return coming.done / seconds if seconds > 0 else 0.0


def _the_map(request: HttpRequest, space: SpaceDefinition) -> QuerySet[CatalogueMap]:
    """Return the finished map asked for, as a query. Raises ``Http404`` for no number."""
    number = request.GET.get("map", "")
    if not number.isdecimal() or len(number) > 18:
        raise Http404
    return making.maps(space).filter(finished_at__isnull=False, pk=int(number))


@require_GET
def data(request: HttpRequest, admin: ImgrecAdminMixin) -> HttpResponse:
    """Give where products are: five bytes each, all at once."""
    space = for_viewers(request, admin)
    found = _the_map(request, space).defer(None).first()
    if found is None:
        raise Http404
    answer = JsonResponse(
        {
            "columns": found.columns,
            "rows": found.rows,
            "categories": found.categories,
            "points": b64encode(found.points).decode(),
        }
    )
    answer["Cache-Control"] = FOR_EVER
    return answer


def _the_tile(request: HttpRequest, space: SpaceDefinition) -> MapTile:
    asked = [request.GET.get(name, "") for name in ("column", "row")]
    if not all(each.isdecimal() and len(each) < 6 for each in asked):
        raise Http404
    tiles = MapTile.objects.using(space.using).filter(map__in=_the_map(request, space))
    found = tiles.filter(column=int(asked[0]), row=int(asked[1])).first()
    if found is None:
        raise Http404
    return found


@require_GET
def tile(request: HttpRequest, admin: ImgrecAdminMixin) -> JsonResponse:
    """Give the products of a square: place, title, change page, photo. Those gone are left out."""
    space = for_viewers(request, admin)
    found = _the_tile(request, space)
    products = _products(space, found.items)
    photos = photos_of_items(list(products.values()), space)
    told = [
        [place, str(products[key]), change_url(products[key], admin.admin_site), _url(photos, key)]
        for key, place in zip(_keys(space, found.items), found.places, strict=True)
        if key in products
    ]
    return JsonResponse({"items": told})


def _url(photos: dict[Any, Any], key: Any) -> str:
    return photos[key].url if key in photos else ""


@require_GET
def sheet(request: HttpRequest, admin: ImgrecAdminMixin) -> HttpResponse:
    """Give the small pictures of a square."""
    found = _the_tile(request, for_viewers(request, admin))
    return HttpResponse(
        bytes(found.sheet), content_type="image/webp", headers={"Cache-Control": FOR_EVER}
    )


def _keys(space: SpaceDefinition, texts: list[str]) -> list[Any]:
    to_python = space.item_model._meta.pk.to_python
    return [to_python(text) for text in texts]


def _products(space: SpaceDefinition, texts: list[str]) -> dict[Any, Any]:
    rows: QuerySet[Any] = space.item_model._base_manager.using(space.using)
    return rows.in_bulk(_keys(space, texts))


def _oddities(
    found: CatalogueMap, space: SpaceDefinition, admin: ImgrecAdminMixin
) -> dict[str, Any]:
    """Return what stands out with titles, photos and addresses: two SELECTs."""
    told = found.oddities
    named = [each["item"] for kind in ("misfits", "alone") for each in told.get(kind, [])]
    named += [key for each in told.get("holes", []) for key in each["around"]]
    products = _products(space, named)
    photos = photos_of_items(list(products.values()), space)
    to_python = space.item_model._meta.pk.to_python

    def shown(text: str) -> dict[str, Any] | None:
        product = products.get(to_python(text))
        if product is None:
            return None
        url = change_url(product, admin.admin_site)
        return {"title": str(product), "url": url, "photo": _url(photos, product.pk)}

    def with_product(kind: str) -> list[dict[str, Any]]:
        rows = [{**each, "product": shown(each["item"])} for each in told.get(kind, [])]
        return [each for each in rows if each["product"]]

    holes = [
        {**each, "around": [p for key in each["around"] if (p := shown(key))]}
        for each in told.get("holes", [])
    ]
    return {"misfits": with_product("misfits"), "alone": with_product("alone"), "holes": holes}
