"""The products a caller lets us choose from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.db.models.expressions import Col, RawSQL
from django.db.models.sql import Query
from django.db.models.sql.constants import LOUTER
from django.db.models.sql.where import ExtraWhere

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


def keys_of(rows: QuerySet[Any], path: str) -> QuerySet[Any]:
    """Return only the keys, some of them twice if that is simpler: who they are, not what.

    Annotations and the joins they alone need are left out, or PostgreSQL would group a whole
    catalogue to find a few products in it.
    """
    bare = rows.order_by()
    bare.query.distinct = False
    is_filtered_by_groups = bare.query.where.contains_aggregate
    if not is_filtered_by_groups:
        bare.query.group_by = None
    keys = bare.values(path)
    if not is_filtered_by_groups:
        _drop_idle_joins(keys.query)
    return keys


def _drop_idle_joins(query: Query) -> None:
    """Leave out joins that neither the filters nor the keys look at, and that filter nothing."""
    used = {getattr(each, "alias", None) for each in _parts([query.where, *query.select])}
    if None in used:
        return
    for alias, join in reversed(query.alias_map.items()):
        if alias not in used and getattr(join, "join_type", None) == LOUTER:
            query.alias_refcount[alias] = 0
        else:
            used.add(getattr(join, "parent_alias", None) or alias)


def _parts(expressions: Iterable[Any]) -> Iterator[Any]:
    """Yield every column that expressions look at; of raw SQL, which may look at any, itself."""
    for expression in expressions:
        if isinstance(expression, Col | RawSQL | ExtraWhere):
            yield expression
        elif hasattr(expression, "get_external_cols"):
            yield from expression.get_external_cols()
        elif hasattr(expression, "get_source_expressions"):
            yield from _parts(expression.get_source_expressions())
