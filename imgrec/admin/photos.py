"""Photos as the admin shows them: an address if the storage gives one, and always a name."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from imgrec.spaces import SpaceDefinition

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Photo:
    """``url`` is empty where the file has none, ``name`` is its name in the storage."""

    name: str = ""
    url: str = ""


def photo_of(owner: Any, space: SpaceDefinition) -> Photo:
    """Return the photo of the row that owns it; without one, an empty photo."""
    file = getattr(owner, space.source, None)
    if not file:
        return Photo()
    try:
        return Photo(str(file), str(file.url))
    except Exception as error:  # noqa: BLE001 - any storage's; the page must not fail for it
        logger.warning("imgrec: no address for %s: %s", file, error)
        return Photo(str(file))


def photos_of_items(items: Iterable[Any], space: SpaceDefinition) -> dict[Any, Photo]:
    """Return the first photo of each item by its key, in one SELECT at most."""
    if not space.item:
        return {item.pk: photo_of(item, space) for item in items}
    owners = space.model._base_manager.using(space.using).filter(
        **{f"{space.item}__in": [item.pk for item in items]}
    )
    named = owners.exclude(**{space.source: ""}).exclude(**{f"{space.source}__isnull": True})
    first = named.order_by(space.item, "pk").distinct(space.item)
    return {getattr(owner, space.item_field.attname): photo_of(owner, space) for owner in first}
