"""Facts about a space's indexes, from PostgreSQL's own tables: there, valid, how large, whose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import connections
from pgvector.django import HnswIndex

from imgrec.conf import settings
from imgrec.spaces import SpaceDefinition

# An index this many times the size of a fresh one is worth building anew, unless that saves
# next to nothing.
BLOATED_FROM = 2.0
WORTH_BYTES = 8_000_000

PAGE = 8192
PAGE_FREE = PAGE - 24 - 8  # without the page's header and pgvector's own
# One posting of the lists' index, measured at 4.2 to 5.7 bytes in fresh ones.
POSTING_BYTES = 6


@dataclass(frozen=True)
class IndexFacts:
    """One index as it is now. Sizes in bytes; ``owner`` is the role the table belongs to."""

    name: str
    kind: str  # "hnsw" over the vectors, "gin" over the lists
    table: str
    state: str  # "valid", "invalid" (a failed CONCURRENTLY leaves that) or "missing"
    building: bool  # somebody builds an index of the table right now
    bytes: int
    expected_bytes: int  # what a fresh one would take; of GIN only about that
    rows: int
    owner: str
    may_change: bool  # this role may make and drop indexes of the table
    leftovers: tuple[str, ...]  # what failed REINDEX CONCURRENTLY left behind

    @property
    def bloat(self) -> float | None:
        """Return how many times the size of a fresh one it has, None where there is none."""
        return round(self.bytes / self.expected_bytes, 2) if self.state == "valid" else None

    def is_bloated(self, over: float = BLOATED_FROM) -> bool:
        """Return whether building it anew saves much."""
        saved = self.bytes - self.expected_bytes
        return (self.bloat or 0) > over and saved > WORTH_BYTES

    def problems(self, over: float = BLOATED_FROM) -> list[str]:
        """Return what is wrong, in sentences."""
        found = []
        if self.state == "missing" and self.kind == "hnsw":
            found.append(f"the index {self.name} is missing: every live search is exact, and slow")
        elif self.state != "valid":
            found.append(f"the index {self.name} is {self.state}: searches go without it")
        elif self.is_bloated(over):
            found.append(f"the index {self.name} is {self.bloat} times the size of a fresh one")
        if self.leftovers:
            found.append(f"a failed rebuild left {', '.join(self.leftovers)} behind")
        return found


def index_of(space: SpaceDefinition, kind: str) -> Any:
    """Return the declared index: ``"hnsw"`` of the vectors, or ``"gin"`` of the lists."""
    made = HnswIndex if kind == "hnsw" else GinIndex
    indexes = model_of(space, kind)._meta.indexes
    return next(index for index in indexes if isinstance(index, made))


def model_of(space: SpaceDefinition, kind: str) -> Any:
    """Return the model whose table the index is of."""
    return space.embedding_model if kind == "hnsw" else space.list_model


# A build shows in pg_stat_progress_create_index with its process for everybody, but with its
# table for privileged roles only: the process's lock on the table tells the rest.
_FACTS = """
SELECT pg_get_userbyid(tab.relowner),
    pg_has_role(tab.relowner, 'USAGE') AND has_schema_privilege(tab.relnamespace, 'CREATE'),
    CASE WHEN own.oid IS NULL THEN 'missing'
        WHEN own.indisvalid AND own.indisready THEN 'valid' ELSE 'invalid' END,
    coalesce(pg_relation_size(own.oid), 0),
    coalesce((SELECT option_value FROM pg_options_to_table(own.reloptions)
        WHERE option_name = 'm')::int, %(m)s),
    EXISTS (SELECT FROM pg_stat_progress_create_index AS build
        JOIN pg_locks AS held ON held.pid = build.pid AND held.relation = tab.oid),
    ARRAY(SELECT rest.relname::text FROM pg_class AS rest
        JOIN pg_index ON indexrelid = rest.oid AND indrelid = tab.oid
        WHERE rest.relname ~ ('^' || %(index)s || '_cc(new|old)[0-9]*$') AND NOT indisvalid
        ORDER BY rest.relname)
FROM pg_class AS tab
LEFT JOIN (SELECT oid, reloptions, relname, pg_index.* FROM pg_index
        JOIN pg_class ON pg_class.oid = indexrelid) AS own
    ON own.indrelid = tab.oid AND own.relname = %(index)s
WHERE tab.oid = to_regclass(%(table)s)
"""


def examine(space: SpaceDefinition, kind: str = "hnsw", *, rows: int | None = None) -> IndexFacts:
    """Return the facts of one index of a space.

    Args:
        rows: of the table, where they were counted already or do not matter.

    Raises:
        LookupError: its table is not there: not migrated yet.
    """
    connection = connections[space.using]
    model = model_of(space, kind)
    table, index = model._meta.db_table, index_of(space, kind)
    names = {
        "table": connection.ops.quote_name(table),
        "index": index.name,
        "m": getattr(index, "m", None),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, names)
        row = cursor.fetchone()
    if row is None:
        raise LookupError(f"{space.label}: no table {table}; run migrate.")
    owner, may_change, state, size, m, building, leftovers = row
    if rows is None:
        rows = model.objects.using(space.using).count()
    fresh = hnsw_bytes(rows, space.embedder.dimensions, m) if kind == "hnsw" else gin_bytes(rows)
    return IndexFacts(
        name=index.name,
        kind=kind,
        table=table,
        state=state,
        building=building,
        bytes=size,
        expected_bytes=fresh,
        rows=rows,
        owner=owner,
        may_change=may_change,
        leftovers=tuple(leftovers),
    )


def hnsw_bytes(rows: int, dimensions: int, m: int) -> int:
    """Return what a fresh HNSW index over ``halfvec`` rows takes on disk, within some percent.

    As pgvector lays it out: an element with its vector and its neighbours, on one page where
    they fit.
    """
    element = _aligned(72 + 8 + 2 * dimensions)
    neighbours = _aligned(4 + 6 * m * (2 + 1 / (m - 1)))
    together = element + neighbours + 8  # two line pointers
    pages = -(-rows // (PAGE_FREE // together)) if together <= PAGE_FREE else 2 * rows
    return (1 + pages) * PAGE


def gin_bytes(rows: int) -> int:
    """Return about what a fresh GIN index over the lists takes on disk."""
    each = min(max(rows - 1, 0), settings.stored_neighbours)
    return 2 * PAGE + rows * each * POSTING_BYTES


def build_bytes(rows: int, dimensions: int, m: int) -> int:
    """Return the ``maintenance_work_mem`` with which the whole graph is built in memory.

    With less pgvector builds the rest on disk, many times slower.
    """
    return int(rows * (8 + 2 * dimensions + 16 * m * (2 + 1 / (m - 1)) + 250))


def _aligned(size: float) -> int:
    return -(-int(size) // 8) * 8
