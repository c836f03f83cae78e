"""Small pictures of products, inside the page itself: it can be mailed, and opened anywhere."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection
from io import BytesIO
from typing import Any

from imgrec.evaluation.copies import picture_of
from imgrec.spaces import SpaceDefinition

# Twice what a card is wide on a phone.
SIDE = 176
QUALITY = 55


def names_of(space: SpaceDefinition, version: str, keys: Collection[Any]) -> dict[Any, str]:
    """Return the name of a photo of each product; of several, of the oldest."""
    column = space.item_column
    stored = space.embedding_model.objects.using(space.using).filter(version=version)
    rows = stored.filter(**{f"{column}__in": list(keys)}).order_by("-owner_id")
    return dict(rows.values_list(column, "source_name"))


def thumbnail(space: SpaceDefinition, name: str) -> str:
    """Return the photo as a ``data:`` address, "" when it cannot be read."""
    picture = picture_of(space, name, short_side=SIDE) if name else None
    if picture is None:
        return ""
    picture.thumbnail((SIDE, SIDE))
    buffer = BytesIO()
    picture.save(buffer, "WEBP", quality=QUALITY)
    return f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode()}"
