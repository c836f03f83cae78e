"""The panel "Similar products" of a product's change page: what is stored, nothing hidden."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin import AdminSite
from django.db import models, transaction
from django.db.models import QuerySet

from imgrec import live
from imgrec.admin.addresses import change_url
from imgrec.admin.photos import Photo, photos_of_items
from imgrec.guest import reading
from imgrec.pool import Search
from imgrec.search_settings import pool_settings
from imgrec.seeds import of_seed
from imgrec.spaces import SpaceDefinition
from imgrec.visibility import recommendable, visible
from imgrec.wishes import Wish

logger = logging.getLogger(__name__)

SHOWN = 12


@dataclass(frozen=True)
class LookAlike:
    """One product of the panel, and whether shoppers see it."""

    title: str
    similarity: float
    photo: Photo
    url: str
    is_hidden: bool
    is_held_back: bool  # visible, but not recommended: sold out, say


@dataclass(frozen=True)
class Panel:
    """``way``: "list" (stored), "live" (searched now), "none" (not indexed), "error"."""

    space: SpaceDefinition
    way: str
    products: list[LookAlike] = field(default_factory=list)
    updated_at: Any = None


def panel_of(item: models.Model, space: SpaceDefinition, site: AdminSite) -> Panel:
    """Return the item's look-alikes, whoever may see them; never raises."""
    try:
        with transaction.atomic(using=space.using):
            return _read(item, space, site)
    except Exception:  # broad: the merchant must be able to edit a product whatever is broken
        logger.exception("imgrec: no similar products for %s %s", item._meta.label, item.pk)
        return Panel(space, "error")


def _read(item: models.Model, space: SpaceDefinition, site: AdminSite) -> Panel:
    rows = space.list_model.objects.using(space.using).filter(owner=space.item_key(item))
    stored = rows.values_list("neighbours", "similarities", "updated_at").first()
    if stored is None:
        found = _search(item, space)
        return Panel(space, "live" if found else "none", _look_alikes(found, space, site))
    keys, similarities, updated_at = stored
    products = _items(space).in_bulk(keys[:SHOWN])
    pairs = zip(keys, similarities, strict=True)
    found = [(products[key], similarity) for key, similarity in pairs if key in products]
    return Panel(space, "list", _look_alikes(found, space, site), updated_at)


def _items(space: SpaceDefinition) -> QuerySet[Any]:
    rows: QuerySet[Any] = space.item_model._base_manager.using(space.using).all()
    return rows


def _search(item: models.Model, space: SpaceDefinition) -> list[tuple[Any, float]]:
    rows = _items(space).exclude(pk=space.item_key(item))
    seed = of_seed(space, space.item_key(item), space.using)
    search = Search(space, lambda: seed, lambda: rows, space.using, is_given=True)
    with reading(space.using, **pool_settings(space)):
        found = live.find(search, Wish(SHOWN))
    return [(product, product.similarity) for product in found]


def _look_alikes(
    found: list[tuple[Any, float]], space: SpaceDefinition, site: AdminSite
) -> list[LookAlike]:
    products = [product for product, _similarity in found]
    if not products:
        return []
    photos = photos_of_items(products, space)
    rows = _items(space).filter(pk__in=[product.pk for product in products])
    seen = set(visible(space, rows).values_list("pk", flat=True))
    recommended = set(recommendable(space, rows).values_list("pk", flat=True))
    return [
        LookAlike(
            title=str(product),
            similarity=similarity,
            photo=photos.get(product.pk, Photo()),
            url=change_url(product, site),
            is_hidden=product.pk not in seen,
            is_held_back=product.pk in seen - recommended,
        )
        for product, similarity in found
    ]
