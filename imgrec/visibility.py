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
    return rows.filter(_condition(space, space.visible)) if space.visible else rows


def recommendable(space: SpaceDefinition, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Leave only rows that may be results: visible, and worth recommending."""
    return rows.filter(may_be_result(space)) if space.visible or space.recommend else rows


def may_be_result(space: SpaceDefinition) -> Q:
    """Return the condition of :func:`recommendable`."""
    return _condition(space, space.visible) & _condition(space, space.recommend)


def _condition(space: SpaceDefinition, rule: Q | None) -> Q:
    """Return a rule; as a subquery when it joins, or a product would come once per joined row."""
    if not rule or _is_local(space, rule):
        return rule or Q()
    allowed = space.item_model._base_manager.filter(rule).values("pk")
    return Q(**{f"{item_path(space)}__in": allowed})


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
