"""Statements remembered: from page to page only the key of the product is another.

Django takes longer to put a statement together than PostgreSQL to answer it. What a shop's own
queryset and constant rules make of it is the same each time, so it is put together twice: two
statements for two keys that differ by nothing else tell where the key goes. All else is put
together at each page, as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Manager, Q, QuerySet
from django.db.models.manager import BaseManager
from django.db.models.query import ModelIterable
from django.db.models.sql import Query

from imgrec.spaces import SpaceDefinition
from imgrec.sql import Part, compiled, fetched

# More are not kept: limits and floors that vary without end are no use to remember.
MOST = 500
# What becomes of a queryset on its way from the shop to its instances.
METHODS = (
    "__iter__",
    "_chain",
    "_clone",
    "_fetch_all",
    "_filter_or_exclude",
    "annotate",
    "exclude",
    "extra",
    "filter",
    "order_by",
)
# What a filter changes of a query.
FILTERS = (
    "_lookup_joins",
    "alias_map",
    "alias_refcount",
    "base_table",
    "table_map",
    "used_aliases",
    "where",
)
CONSTANTS = (str, bytes, int, float, Decimal, date, time, timedelta, UUID, type(None))


@dataclass(frozen=True)
class Remembered:
    """Some SQL; its key is a parameter at some ``places``."""

    sql: str
    params: tuple[Any, ...]
    places: tuple[int, ...] = field(default=(), kw_only=True)

    def of(self, key: Any) -> Part:
        """Return it for a key, as prepared for the database."""
        params = list(self.params)
        for place in self.places:
            params[place] = key
        return Part(self.sql, tuple(params))


@dataclass(frozen=True)
class Statement(Remembered):
    """A statement whose rows are instances."""

    model: type[models.Model]
    fields: list[str]
    annotations: dict[str, int]  # column of each
    converters: dict[int, Any]  # of some columns, as the compiler has them

    def instances(self, key: Any, using: str) -> list[Any]:
        """Run it for a key, as prepared for the database."""
        connection = connections[using]
        return [self._instance(list(row), connection) for row in fetched(self.of(key), using)]

    def _instance(self, row: list[Any], connection: BaseDatabaseWrapper) -> Any:
        for column, (converters, expression) in self.converters.items():
            for convert in converters:
                row[column] = convert(row[column], expression, connection)
        instance = self.model.from_db(connection.alias, self.fields, row[: len(self.fields)])
        for name, column in self.annotations.items():
            setattr(instance, name, row[column])
        return instance


class Example(NamedTuple):
    """What one key's statement was."""

    key: Any
    statement: Remembered


_examples: dict[Hashable, Example] = {}
_statements: dict[Hashable, Any] = {}  # Remembered; None: cannot be


def part(name: Hashable, key: Any, put_together: Callable[[], Part]) -> Part:
    """Return some SQL, remembered under ``name`` as :func:`instances` does."""
    known: Remembered | None = _statements.get(name)
    if known is not None:
        return known.of(key)
    made = put_together()
    if name not in _statements:
        _learn(name, key, Remembered(*made))
    return made


def instances(
    name: Hashable, key: Any, using: str, put_together: Callable[[], QuerySet[Any]]
) -> list[Any]:
    """Return a queryset's instances, by the statement remembered under ``name`` if there is one.

    ``name`` has to hold all that the statement depends on, apart from the ``key``, which is as
    prepared for the database.
    """
    known: Statement | None = _statements.get(name)
    if known is not None:
        return known.instances(key, using)
    rows = put_together()
    if name not in _statements:
        _learn(name, key, _put_together(rows, using))
    return list(rows)


def forget() -> None:
    """Remember nothing any more."""
    _statements.clear()
    _examples.clear()


def what_of(rows: Any, using: str) -> Hashable | None:
    """Return what tells a queryset's statements from another's; None: it may be anything.

    Of all instances of a model that is the model, of filtered ones also the filters as SQL.
    """
    model: type[models.Model] = rows.model
    if is_plain(rows):
        return model
    if not is_plain(rows, but=FILTERS):
        return None
    try:
        part = compiled(rows, using) or Part("")
        hash(part)
    except TypeError:  # a list among the values
        return None
    return model, part


def is_plain(rows: Any, *, but: Collection[str] = ()) -> bool:
    """Return whether a queryset is no more than all instances of its model, freshly made.

    One whose class has its own way with what we do to it may do so by the day of the week.
    ``but``: attributes of its query that do not matter.
    """
    return (
        rows._iterable_class is ModelIterable
        and not (rows._prefetch_related_lookups or rows._fields or rows._known_related_objects)
        and _is_known(type(rows), METHODS)
        and type(rows.query) is Query
        and _state(rows.query, but) == _state(Query(rows.model), but)
    )


def gives_everything(manager: Any) -> bool:
    """Return whether a manager's ``all()`` surely is plain: faster than to look at what it gave."""
    usual = (BaseManager.all, BaseManager.get_queryset)
    own = (manager.all, manager.get_queryset)  # maybe this one's alone, and not its class's
    is_usual = tuple(getattr(each, "__func__", None) for each in own) == usual
    return is_usual and _is_known(manager._queryset_class, ("__init__", *METHODS))


def _is_known(kind: type[Any], methods: Iterable[str]) -> bool:
    ours = ("django.", "imgrec.")
    return all(getattr(kind, name).__module__.startswith(ours) for name in methods)


def _state(query: Query, but: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in vars(query.chain()).items() if name not in but}


def has_constant_rules(space: SpaceDefinition) -> bool:
    """Return whether ``visible`` and ``recommend`` are the same at each page."""
    return (
        type(space.item_model._base_manager) is Manager
        and _is_constant(space.visible)
        and _is_constant(space.recommend)
    )


def _is_constant(rule: Any) -> bool:
    if isinstance(rule, Q):
        return all(map(_is_constant, rule.children))
    if isinstance(rule, tuple | list | set | frozenset):
        return all(map(_is_constant, rule))
    return isinstance(rule, CONSTANTS)


def _learn(name: Hashable, key: Any, statement: Remembered | None) -> None:
    example = _examples.get(name)
    if len(_statements) + len(_examples) >= MOST:
        forget()
    if statement is None:
        _statements[name] = None
    elif example is None:
        _examples[name] = Example(key, statement)
    elif example.key != key:
        _examples.pop(name, None)
        _statements[name] = _common(example, Example(key, statement))


def _common(one: Example, other: Example) -> Remembered | None:
    """Return the statement of both, or None when more than the key is different."""
    first, second = one.statement, other.statement
    pairs = list(zip(first.params, second.params, strict=False))
    places = tuple(i for i, pair in enumerate(pairs) if pair == (one.key, other.key))
    changed = [i for i, (a, b) in enumerate(pairs) if a != b]
    if first.sql != second.sql or len(first.params) != len(second.params):
        return None
    if changed != list(places):
        return None
    return replace(first, places=places)


def _put_together(rows: QuerySet[Any], using: str) -> Statement | None:
    """Return a queryset's statement, or None for one that is not only an instance's columns."""
    compiler = rows.query.get_compiler(using=using)
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        return None
    select = compiler.select or []
    places = (compiler.klass_info or {}).get("select_fields", [])
    if list(places) != list(range(len(places))):
        return None
    fields = [select[place][0].target.attname for place in places]
    annotations = dict(compiler.annotation_col_map or {})
    converters = compiler.get_converters([column[0] for column in select])
    return Statement(sql, tuple(params), rows.model, fields, annotations, converters)
