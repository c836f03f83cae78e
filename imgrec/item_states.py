"""The state of a product with many photos, from the states of its photos."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from imgrec.spaces import SpaceDefinition
from imgrec.states import PhotoState, annotate_state

# The photo that comes first here speaks for the product: what needs attention, before what
# is on its way, before what is done. Without any photo it is "no photo".
SPEAKS_FIRST = [
    PhotoState.FAILED,
    PhotoState.LEASED,
    PhotoState.QUEUED,
    PhotoState.MISSING,
    PhotoState.STALE,
    PhotoState.READY,
    PhotoState.EXCLUDED,
    PhotoState.NO_PHOTO,
]


def annotate_item_state(
    items: QuerySet[Any], space: SpaceDefinition, *, name: str = "imgrec_state"
) -> QuerySet[Any]:
    """Annotate items with the state of the photo that speaks for them, and ``<name>_reason``."""
    if not space.item:
        return annotate_state(items, space, name=name)
    photos = space.model._base_manager.filter(**{space.item: OuterRef("pk")})
    ranks = [When(**{name: state}, then=Value(rank)) for rank, state in enumerate(SPEAKS_FIRST)]
    first = annotate_state(photos, space, name=name).order_by(
        Case(*ranks, output_field=IntegerField()), "pk"
    )
    state = Coalesce(Subquery(first.values(name)[:1]), Value(PhotoState.NO_PHOTO))
    reason = Subquery(first.values(f"{name}_reason")[:1])
    annotated: QuerySet[Any] = items.annotate(**{name: state, f"{name}_reason": reason})
    return annotated
