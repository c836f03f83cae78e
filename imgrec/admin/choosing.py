"""Which space an admin page is about: the one asked for, else the one shoppers see."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import Http404, HttpRequest

from imgrec.served import served_space
from imgrec.spaces import SpaceDefinition, spaces_fed_by, spaces_of

PAGE_PARAMETER = "space"
# On the shop's own change list, where "space" may be one of the shop's filters.
LIST_PARAMETER = "imgrec_space"


def spaces_for(model: type[models.Model]) -> list[SpaceDefinition]:
    """Return the spaces of the model's own photos, else those its photos' model has."""
    return spaces_fed_by(model) or spaces_of(model)


def shown_space(request: HttpRequest, model: type[models.Model]) -> SpaceDefinition | None:
    """Return the served one of the model's spaces, looked up once a request."""
    known: dict[Any, Any] = request.__dict__.setdefault("_imgrec_shown", {})
    if model not in known:
        spaces = spaces_for(model)
        known[model] = _served_one(spaces) if spaces else None
    found: SpaceDefinition | None = known[model]
    return found


def _served_one(spaces: list[SpaceDefinition]) -> SpaceDefinition:
    served = served_space(spaces[0].item_model)
    return served if served in spaces else spaces[0]


def list_space(request: HttpRequest, model: type[models.Model]) -> SpaceDefinition | None:
    """Return the space of a change list; one that is not there is passed over."""
    asked = request.GET.get(LIST_PARAMETER)
    named = [space for space in spaces_for(model) if space.label == asked]
    return named[0] if named else shown_space(request, model)


def page_space(request: HttpRequest, model: type[models.Model]) -> SpaceDefinition:
    """Return the space of one of our own pages.

    Raises:
        Http404: there is no such space.
    """
    asked = request.GET.get(PAGE_PARAMETER)
    if asked is None:
        found = shown_space(request, model)
    else:
        found = next((space for space in spaces_for(model) if space.label == asked), None)
    if found is None:
        raise Http404(f"{model._meta.label} has no space {asked or ''}")
    return found
