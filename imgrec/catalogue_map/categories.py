"""What products of a map are coloured by: a column of theirs, if somebody names one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import CharField

from imgrec.catalogue_map.oddities import NONE
from imgrec.categories import path_of
from imgrec.spaces import SpaceDefinition

# So many categories have a colour of their own, the largest; more nobody tells apart.
MOST = 24


def paths(space: SpaceDefinition) -> list[str]:
    """Return what may be named: foreign keys of the products, and columns with choices."""
    fields = space.item_model._meta.concrete_fields
    return [
        field.name
        for field in fields
        if (field.many_to_one and field.related_model)
        or (isinstance(field, CharField) and field.choices)
    ]


def usual(space: SpaceDefinition) -> str:
    """Return the path the setting names, else ``category`` if there is such a column."""
    found = path_of(space)
    return found or next((path for path in paths(space) if path == "category"), "")


def coded(
    space: SpaceDefinition, path: str, keys: list[Any]
) -> tuple[npt.NDArray[np.uint8], list[str]]:
    """Return a number for the category of each product, 255 for none, and the categories' names.

    Raises:
        django.core.exceptions.FieldError: the path is no column.
    """
    codes = np.full(len(keys), NONE, np.uint8)
    if not path:
        return codes, []
    rows = space.item_model._base_manager.using(space.using).order_by()
    found = dict(rows.values_list(str(space.item_model._meta.pk.name), path).iterator(10_000))
    values = [found.get(key) for key in keys]
    counted: dict[Any, int] = {}
    for value in values:
        if value not in (None, ""):
            counted[value] = counted.get(value, 0) + 1
    largest = sorted(counted, key=lambda value: (-counted[value], str(value)))[:MOST]
    number = {value: code for code, value in enumerate(largest)}
    codes[:] = [number.get(value, NONE) for value in values]
    return codes, _names(space, path, largest)


def _names(space: SpaceDefinition, path: str, values: list[Any]) -> list[str]:
    """Return what people call them: of a foreign key the other row's own name."""
    if "__" in path:
        return list(map(str, values))
    field: Any = space.item_model._meta.get_field(path)
    if field.many_to_one:
        target = field.target_field.name
        rows = field.related_model._base_manager.using(space.using)
        named = {getattr(r, target): str(r) for r in rows.filter(**{f"{target}__in": values})}
        return [named.get(value, str(value)) for value in values]
    choices = dict(field.flatchoices or ())
    return [str(choices.get(value, value)) for value in values]
