"""Which space and version shoppers see, as subqueries or as one small read."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Subquery

from imgrec.models import Space
from imgrec.spaces import SpaceDefinition, all_spaces, spaces_of


def served_space(model: type[models.Model], using: str | None = None) -> SpaceDefinition:
    """Return the space shown for products of this model.

    One SELECT when a model has several, none otherwise. ``using``: the alias of the database to
    ask, instead of the router's.

    Raises:
        LookupError: the model has none.
    """
    spaces = spaces_of(model)
    if not spaces:
        known = ", ".join(sorted({s.item_model._meta.label for s in all_spaces()})) or "none yet"
        raise LookupError(
            f"{model._meta.label} has no ImageEmbeddingField, so it has no similar products. "
            f"Models that have: {known}."
        )
    if len(spaces) == 1:
        return spaces[0]
    rows = Space.objects.using(using) if using else Space.objects
    shown = rows.filter(is_served=True, label__in=[space.label for space in spaces])
    label = shown.values_list("label", flat=True).first()
    return next((space for space in spaces if space.label == label), spaces[0])


def served_version(space: SpaceDefinition) -> Any:
    """Return the served version as a subquery, so that a switch is seen by the next read."""
    return Subquery(Space.objects.filter(label=space.label).values("served_version")[:1])


def decides_what_is_served(space: SpaceDefinition) -> bool:
    """Return whether there are several, one of which shoppers see."""
    return len(spaces_of(space.item_model)) > 1


# Which of several spaces was served when last somebody looked.
_last_served: dict[type[models.Model], str] = {}


def likely_served(model: type[models.Model]) -> SpaceDefinition:
    """Return the space that probably is served: who goes by it verifies it in the same read.

    Raises:
        LookupError: the model has none.
    """
    spaces = spaces_of(model)
    if not spaces:
        return served_space(model)  # which says what is wrong
    label = _last_served.get(model)
    return next((space for space in spaces if space.label == label), spaces[0])


def remember_served(model: type[models.Model], label: str) -> None:
    """Remember what a read found to be served."""
    _last_served[model] = label
