"""Lists of two spaces as pictures: what each shows beside a product, and what only it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite

from imgrec.admin.addresses import change_url
from imgrec.admin.photos import Photo, photos_of_items
from imgrec.comparing import Pair
from imgrec.spaces import SpaceDefinition


@dataclass(frozen=True)
class Shown:
    """One product. ``is_own``: the other list does not show it."""

    title: str
    url: str
    photo: Photo
    is_own: bool = False


@dataclass(frozen=True)
class Row:
    """A product and its two lists."""

    seed: Shown
    a: list[Shown]
    b: list[Shown]
    shared: int


def pictured(pairs: list[Pair], space: SpaceDefinition, site: AdminSite) -> list[Row]:
    """Return rows with titles, photos and addresses: two SELECTs, whatever their number."""
    keys = {key for each in pairs for key in (each.key, *each.a, *each.b)}
    products = space.item_model._base_manager.using(space.using).in_bulk(list(keys))
    photos = photos_of_items(list(products.values()), space)

    def shown(key: Any, others: list[Any] | None = None) -> Shown:
        product = products[key]
        own = others is not None and key not in others
        return Shown(str(product), change_url(product, site), photos.get(key, Photo()), own)

    def row(pair: Pair) -> Row:
        a = [shown(key, pair.b) for key in pair.a if key in products]
        b = [shown(key, pair.a) for key in pair.b if key in products]
        return Row(shown(pair.key), a, b, pair.shared)

    return [row(each) for each in pairs if each.key in products]
