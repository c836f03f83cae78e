"""What the duplicate desk shows: clusters with their products, and what was decided before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.core.paginator import Page, Paginator

from imgrec.admin.addresses import change_url
from imgrec.admin.photos import Photo, photos_of_items
from imgrec.duplicates import deciding
from imgrec.duplicates.deciding import Cluster
from imgrec.models import DuplicatePair
from imgrec.spaces import SpaceDefinition

CLUSTERS_A_PAGE = 10
DECIDED_A_PAGE = 50


@dataclass(frozen=True)
class Ware:
    """One product of a cluster, as people tell it from others."""

    key: str
    title: str
    url: str
    photo: Photo


@dataclass(frozen=True)
class Shown:
    """A cluster, or a pair that was decided, with the products that are still there."""

    wares: list[Ware]
    similarity: float | None
    pair: DuplicatePair | None = None


def open_page(space: SpaceDefinition, site: AdminSite, number: str | None) -> Page[Any]:
    """Return a page of clusters nobody has decided about, the most similar first."""
    paginator: Paginator[Any] = Paginator(deciding.clusters(space), CLUSTERS_A_PAGE)
    page = paginator.get_page(number)
    clusters: list[Cluster] = list(page.object_list)
    wares = _wares(space, site, (key for each in clusters for key in each.items))
    found = [
        Shown([wares[key] for key in each.items if key in wares], each.similarity)
        for each in clusters
    ]
    page.object_list = [each for each in found if len(each.wares) > 1]
    return page


def decided_page(space: SpaceDefinition, site: AdminSite, number: str | None) -> Page[Any]:
    """Return a page of decisions, the latest first."""
    rows = deciding.rows_of(space).exclude(decision="").order_by("-decided_at", "-id")
    page: Page[Any] = Paginator(rows, DECIDED_A_PAGE).get_page(number)
    pairs = list(page.object_list)
    wares = _wares(space, site, (key for each in pairs for key in (each.first, each.second)))
    page.object_list = [
        Shown(
            [wares[key] for key in (each.first, each.second) if key in wares],
            each.similarity,
            each,
        )
        for each in pairs
    ]
    return page


def _wares(space: SpaceDefinition, site: AdminSite, keys: Iterable[str]) -> dict[str, Ware]:
    """Return products by key as text: two SELECTs."""
    to_python = space.item_model._meta.pk.to_python
    rows = space.item_model._base_manager.using(space.using)
    products = list(rows.filter(pk__in=[to_python(key) for key in dict.fromkeys(keys)]))
    photos = photos_of_items(products, space)
    return {
        str(each.pk): Ware(
            str(each.pk), str(each), change_url(each, site), photos.get(each.pk, Photo())
        )
        for each in products
    }
