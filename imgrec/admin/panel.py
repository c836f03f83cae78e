"""The panel "Similar products" of a product's change page: what is stored, nothing hidden."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.contrib.admin import AdminSite
from django.db import models, transaction
from django.db.models import QuerySet

from imgrec import live
from imgrec.admin.addresses import address, change_url
from imgrec.admin.photos import Photo, photos_of_items
from imgrec.guest import reading
from imgrec.pool import Search
from imgrec.search_settings import pool_settings
from imgrec.seeds import of_seed
from imgrec.spaces import SpaceDefinition
from imgrec.sql import Part
from imgrec.visibility import recommendable, visible
from imgrec.wishes import Wish

if TYPE_CHECKING:
    from imgrec.admin.mixin import ImgrecAdminMixin

logger = logging.getLogger(__name__)

SHOWN = 12


@dataclass(frozen=True)
class LookAlike:
    """One product of the panel, and whether shoppers see it."""

    key: Any
    title: str
    similarity: float
    photo: Photo
    url: str
    is_hidden: bool
    is_held_back: bool  # visible, but not recommended: sold out, say
    why_url: str = ""


@dataclass(frozen=True)
class Panel:
    """``way``: "list" (stored), "live" (searched now), "none" (not indexed), "error"."""

    space: SpaceDefinition
    way: str
    products: list[LookAlike] = field(default_factory=list)
    updated_at: Any = None
    part_url: str = ""


def panel_of(item: models.Model, space: SpaceDefinition, admin: ImgrecAdminMixin) -> Panel:
    """Return the item's look-alikes, whoever may see them; never raises."""
    try:
        with transaction.atomic(using=space.using):
            found = _read(item, space, admin.admin_site)
        return _with_links(found, item, admin)
    except Exception:  # broad: the merchant must be able to edit a product whatever is broken
        logger.exception("imgrec: no similar products for %s %s", item._meta.label, item.pk)
        return Panel(space, "error")


def _read(item: models.Model, space: SpaceDefinition, site: AdminSite) -> Panel:
    rows = space.list_model.objects.using(space.using).filter(owner=space.item_key(item))
    stored = rows.values_list("neighbours", "similarities", "updated_at").first()
    if stored is None:
        found = _search(item, space)
        return Panel(space, "live" if found else "none", look_alikes(found, space, site))
    keys, similarities, updated_at = stored
    products = every_item(space).in_bulk(keys[:SHOWN])
    pairs = zip(keys, similarities, strict=True)
    found = [(products[key], similarity) for key, similarity in pairs if key in products]
    return Panel(space, "list", look_alikes(found, space, site), updated_at)


def _with_links(found: Panel, item: models.Model, admin: ImgrecAdminMixin) -> Panel:
    """Add where each is explained, and where to ask for more like a part of the photo."""
    if found.way == "none":
        return found
    key = item.pk

    def explained(each: LookAlike) -> LookAlike:
        url = address(admin, "why", found.space, product=key, other=each.key)
        return replace(each, why_url=url)

    part_url = address(admin, "part", found.space, product=key)
    return replace(found, products=list(map(explained, found.products)), part_url=part_url)


def is_shown(item: models.Model, key: Any, space: SpaceDefinition) -> bool:
    """Return whether the panel of an item shows the product of that key, from its stored list."""
    rows = space.list_model.objects.using(space.using).filter(owner=space.item_key(item))
    keys = rows.values_list("neighbours", flat=True).first() or []
    return key in keys[:SHOWN]


def every_item(space: SpaceDefinition) -> QuerySet[Any]:
    """Return all products of a space, whoever may see them."""
    rows: QuerySet[Any] = space.item_model._base_manager.using(space.using).all()
    return rows


def _search(item: models.Model, space: SpaceDefinition) -> list[tuple[Any, float]]:
    return search(item, space, of_seed(space, space.item_key(item), space.using))


def search(item: models.Model, space: SpaceDefinition, seed: Part) -> list[tuple[Any, float]]:
    """Return what is nearest to a seed but the item itself, whoever may see it."""
    rows = every_item(space).exclude(pk=space.item_key(item))
    asked = Search(space, lambda: seed, lambda: rows, space.using, is_given=True)
    with reading(space.using, **pool_settings(space)):
        found = live.find(asked, Wish(SHOWN))
    return [(product, product.similarity) for product in found]


def look_alikes(
    found: list[tuple[Any, float]], space: SpaceDefinition, site: AdminSite
) -> list[LookAlike]:
    """Return what the admin shows of products, each with its similarity."""
    products = [product for product, _similarity in found]
    if not products:
        return []
    photos = photos_of_items(products, space)
    rows = every_item(space).filter(pk__in=[product.pk for product in products])
    seen = set(visible(space, rows).values_list("pk", flat=True))
    recommended = set(recommendable(space, rows).values_list("pk", flat=True))
    return [
        LookAlike(
            key=product.pk,
            title=str(product),
            similarity=similarity,
            photo=photos.get(product.pk, Photo()),
            url=change_url(product, site),
            is_hidden=product.pk not in seen,
            is_held_back=product.pk in seen - recommended,
        )
        for product, similarity in found
    ]
