"""What a shop calls the shelf a product stands on: a path over its own columns and foreign keys."""

from __future__ import annotations

from typing import Any

from django.db import models

from imgrec.conf import settings
from imgrec.paths import leads_somewhere
from imgrec.spaces import SpaceDefinition


def path_of(space: SpaceDefinition) -> str:
    """Return the path from a product to its category; ``""``: the whole catalogue is one.

    One that leads nowhere counts as none: ``check`` shall say so (imgrec.E012), not a broken page.
    """
    named = {label.lower(): path for label, path in settings.category.items()}
    path = named.get(space.item_model._meta.label_lower, "")
    return path if path and leads_somewhere(space.item_model, path) else ""


def category_of(path: str, item: models.Model, using: str) -> str:
    """Return the category of a product at hand as text, ``""`` without one.

    No SELECT where the path is one of the product's own columns, else one.
    """
    if not path:
        return ""
    first, _, rest = path.partition("__")
    field: Any = item._meta.get_field(first)
    value = getattr(item, field.attname)
    if rest and value is not None:
        target = {field.target_field.name: value}
        rows = field.related_model._base_manager.using(using).filter(**target)
        value = rows.values_list(rest, flat=True).first()
    return as_text(value)


def as_text(value: Any) -> str:
    """Return a column's value as it is kept."""
    return "" if value is None else str(value)
