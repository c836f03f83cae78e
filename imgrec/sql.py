"""Statements put together from parts, each with its own parameters."""

from __future__ import annotations

from string import Formatter
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import BooleanField, Func, QuerySet


class Part(NamedTuple):
    """A piece of SQL and the values of its placeholders, in order."""

    sql: str
    params: tuple[Any, ...] = ()


def compose(template: str, **parts: Part | str | int) -> Part:
    """Fill the ``{names}`` of a template; a plain value goes in as it is, so never a user's."""
    pieces: list[str] = []
    params: list[Any] = []
    for literal, name, _format, _conversion in Formatter().parse(template):
        pieces.append(literal)
        if name is not None:
            part = parts[name]
            if isinstance(part, Part):
                pieces.append(part.sql)
                params.extend(part.params)
            else:
                pieces.append(str(part))
    return Part("".join(pieces), tuple(params))


def compiled(rows: QuerySet[Any], using: str) -> Part | None:
    """Return a queryset's own statement; None when Django knows that it finds nothing."""
    try:
        sql, params = rows.query.get_compiler(using=using).as_sql()
    except EmptyResultSet:
        return None
    return Part(sql, tuple(params))


def fetched(part: Part, using: str) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    with connections[using].cursor() as cursor:
        cursor.execute(part.sql, part.params)
        return list(cursor.fetchall())


class IsIn(Func):
    """``key = ANY(array)``."""

    template, arg_joiner, output_field = "%(expressions)s)", " = ANY(", BooleanField()
