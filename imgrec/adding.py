"""Jobs for many rows at once: what a reindex and a sweep queue."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

from imgrec.spaces import SpaceDefinition

_ADD_ROWS = """
INSERT INTO imgrec_embeddingjob (space, object_pk, item_pk, state, attempts, priority,
    due_at, created_at, source_name, reason, message)
SELECT %s, photo.pk::text, '', 'queued', 0, %s, statement_timestamp(),
    coalesce(%s, statement_timestamp()), '', '', ''
FROM ({rows}) AS photo(pk)
"""


def add_rows(
    space: SpaceDefinition,
    rows: QuerySet[Any],
    *,
    priority: int,
    created_at: datetime | None = None,
) -> int:
    """Queue rows that own photos, in one statement however many; return how many."""
    query = rows.order_by("pk").values_list("pk").query
    try:
        keys, params = query.get_compiler(space.using).as_sql()
    except EmptyResultSet:
        return 0
    with connections[space.using].cursor() as cursor:
        values = [space.label, priority, created_at, *params]
        cursor.execute(_ADD_ROWS.format(rows=keys), values)
        return int(cursor.rowcount)


_MERGE = """
DELETE FROM imgrec_embeddingjob AS older USING imgrec_embeddingjob AS newer
WHERE older.space = %s AND older.state = 'queued' AND newer.space = older.space
    AND newer.state = 'queued' AND newer.object_pk = older.object_pk
    AND newer.item_pk = older.item_pk AND newer.id > older.id
"""


def merge_waiting(space: SpaceDefinition) -> None:
    """Leave one job a photo where nobody claims any: a space that is switched off."""
    with connections[space.using].cursor() as cursor:
        cursor.execute(_MERGE, [space.label])
