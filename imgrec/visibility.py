"""Who may be seen: ``visible`` and ``recommend``, in SQL, at the time of reading."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from imgrec.spaces import SpaceDefinition


def item_path(space: SpaceDefinition) -> str:
    """Return the look-up of an item's key; ``pk`` of a child of its model may be another one."""
    return str(space.item_model._meta.pk.name)


def visible(space: SpaceDefinition, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Leave only rows that may be seen at all, as a seed or as a result."""
    return _restricted(space, rows, space.visible)


def recommendable(space: SpaceDefinition, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Leave only rows that may be results: visible, and worth recommending."""
    return _restricted(space, visible(space, rows), space.recommend)


def _restricted(space: SpaceDefinition, rows: QuerySet[Any], rule: Q | None) -> QuerySet[Any]:
    """Apply a rule; as a subquery when it joins, or a product would come once per joined row."""
    if not rule:
        return rows
    if _is_local(space, rule):
        return rows.filter(rule)
    allowed = space.item_model._base_manager.filter(rule).values("pk")
    return rows.filter(**{f"{item_path(space)}__in": allowed})


def _is_local(space: SpaceDefinition, rule: Q) -> bool:
    """Return whether the rule looks at plain columns of the item's own row only, by name."""
    for child in rule.children:
        if isinstance(child, Q):
            if not _is_local(space, child):
                return False
            continue
        if not isinstance(child, tuple):
            return False
        name = str(child[0]).split("__")[0]
        columns = {f.name for f in space.item_model._meta.concrete_fields if not f.is_relation}
        if name not in columns:
            return False
    return True
