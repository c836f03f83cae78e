"""The products a caller lets us choose from."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from imgrec.spaces import SpaceDefinition


def candidates(space: SpaceDefinition, among: QuerySet[Any] | None) -> QuerySet[Any]:
    """Return the rows to choose from, as the caller says, each of them once.

    Raises:
        ValueError: ``among`` cannot be used; the message says what can.
    """
    everything: QuerySet[Any] = space.item_model._default_manager.all()
    rows: Any = everything if among is None else among.all()
    problem = ""
    if not issubclass(rows.model, space.item_model):
        problem = f"is of {rows.model._meta.label}, not of {space.item_model._meta.label}"
    elif rows.query.is_sliced:
        problem = "is sliced: pass it unsliced, limit= cuts the result"
    elif rows.query.combinator:
        problem = "is a union: use | or Q objects"
    elif rows._fields is not None:
        problem = "gives values(): pass instances, with only() if you want less"
    elif rows.query.distinct_fields:
        problem = "uses distinct() on fields: use distinct() alone"
    if problem:
        raise ValueError(f"among= {problem}.")
    chosen: QuerySet[Any] = rows.distinct() if joins_many(rows) else rows
    return chosen


def joins_many(rows: QuerySet[Any]) -> bool:
    """Return whether a join may give a product several times (``filter(tags__name__in=…)``)."""
    used = rows.query.alias_refcount
    joins = (join for alias, join in rows.query.alias_map.items() if used[alias])
    fields: list[Any] = [join.join_field for join in joins if hasattr(join, "join_field")]
    return any(field.one_to_many or field.many_to_many for field in fields)
