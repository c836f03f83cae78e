"""Stored top-k lists in the database: built all at once, written where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
from django.db import connections
from django.db.models import Exists, OuterRef

from imgrec import reading
from imgrec.conf import settings
from imgrec.pairs import all_pairs
from imgrec.spaces import SpaceDefinition
from imgrec.topk import Matrix

# owner, its neighbours' keys and their similarities, most similar first
Row = tuple[Any, Any, Matrix]

ROWS_AT_ONCE = 1024
# Two computations of one similarity differ by less; no reason to write a list again.
SAME = 1e-6

# A list that is there already is not touched: even a lock would rewrite its page. In another
# order it may be the same, too, but only among equals.
_WRITE = """
INSERT INTO {table} AS stored (owner_id, neighbours, similarities, version, updated_at)
SELECT new.owner, new.neighbours, new.similarities, %s, statement_timestamp()
FROM (
    SELECT owner, neighbours::{key}[] AS neighbours, similarities::float8[] AS similarities
    FROM unnest(%s::{key}[], %s::text[], %s::text[]) AS sent(owner, neighbours, similarities)
) AS new
LEFT JOIN {table} AS old ON old.owner_id = new.owner
WHERE old.owner_id IS NULL OR old.version <> %s
    OR cardinality(old.neighbours) <> cardinality(new.neighbours)
    OR CASE WHEN old.neighbours = new.neighbours THEN EXISTS (
        SELECT FROM unnest(old.similarities, new.similarities) AS pair(was, now)
        WHERE abs(was - now) > {same}
    ) ELSE EXISTS (
        SELECT FROM unnest(new.neighbours, new.similarities) AS after(item, similarity)
        LEFT JOIN unnest(old.neighbours, old.similarities) AS before(item, similarity) USING (item)
        WHERE before.item IS NULL OR abs(before.similarity - after.similarity) > {same}
    ) END
ON CONFLICT (owner_id) DO UPDATE SET neighbours = EXCLUDED.neighbours,
    similarities = EXCLUDED.similarities, version = EXCLUDED.version,
    updated_at = EXCLUDED.updated_at
"""


def build_all(space: SpaceDefinition, version: str) -> int:
    """Build every list in this process; return how many were written.

    Memory: every vector (items * dimensions * 4 B, half as much again while they are read),
    items * 2 kB of candidates, and a few tiles (30 MB). Above ``spread_above`` items see ``tiles``.
    """
    everything = reading.read(space, version)
    forget_others(space, version)
    found = all_pairs(everything, settings.stored_neighbours)
    return write(space, version, found.rows())


def forget_others(space: SpaceDefinition, version: str) -> None:
    """Delete the lists of items that have no vector of this version."""
    vectors = space.embedding_model.objects.filter(
        version=version, **{space.item_column: OuterRef("owner_id")}
    )
    space.list_model.objects.using(space.using).filter(~Exists(vectors)).delete()


def write(space: SpaceDefinition, version: str, rows: Iterable[Row]) -> int:
    """Write the lists that differ from the stored ones; return how many."""
    remaining = iter(rows)
    written = 0
    while batch := list(islice(remaining, ROWS_AT_ONCE)):
        written += _write(space, version, batch)
    return written


def _write(space: SpaceDefinition, version: str, rows: list[Row]) -> int:
    connection = connections[space.using]
    sql = _WRITE.format(
        table=connection.ops.quote_name(space.list_model._meta.db_table),
        key=space.item_model._meta.pk.rel_db_type(connection),
        same=SAME,
    )
    owners = [owner for owner, _items, _similarities in rows]
    neighbours = [_array(items.tolist()) for _owner, items, _similarities in rows]
    similarities = [_numbers(row) for _owner, _items, row in rows]
    with connection.cursor() as cursor:
        cursor.execute(sql, [version, owners, neighbours, similarities, version])
        return int(cursor.rowcount)


def _array(keys: list[Any]) -> str:
    """Return PostgreSQL's text for an array of keys."""
    if all(isinstance(key, int) for key in keys):
        return "{" + ",".join(map(str, keys)) + "}"
    quoted = (str(key).replace("\\", "\\\\").replace('"', '\\"') for key in keys)
    return "{" + ",".join(f'"{key}"' for key in quoted) + "}"


def _numbers(row: Matrix) -> str:
    """Return PostgreSQL's text for similarities: 7 digits are what float32 tells."""
    return "{" + ",".join(map(repr, row.astype(np.float64).round(7).tolist())) + "}"


def stored(
    space: SpaceDefinition, version: str, owners: list[Any]
) -> Iterator[tuple[Any, list[Any], list[float]]]:
    """Yield owner, neighbours and similarities of the stored lists of these items."""
    lists = space.list_model.objects.using(space.using).filter(version=version)
    for begin in range(0, len(owners), ROWS_AT_ONCE):
        some = lists.filter(owner__in=owners[begin : begin + ROWS_AT_ONCE])
        yield from some.values_list("owner", "neighbours", "similarities")
