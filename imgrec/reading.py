"""Vectors out of PostgreSQL by binary COPY: three times as quick as rows through a cursor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connections, models

from imgrec.spaces import SpaceDefinition
from imgrec.topk import Matrix, group_starts, unit

CHUNK_ROWS = 4096

# PostgreSQL's COPY: a header, then each row as a count of fields and the fields, each after its
# length, everything big-endian; a last count of -1. A message is a row.
HEADER_BYTES = 19
KEY = Struct(">hi")  # of a row, before its key
VECTOR = Struct(">i4x")  # before a vector's halves: their length in bytes, their number, nothing


@dataclass(frozen=True)
class Vectors:
    """Unit vectors, those of an item together: ``matrix`` (n, dimensions), ``items`` (n) keys."""

    items: npt.NDArray[Any]
    matrix: Matrix

    def __len__(self) -> int:
        return len(self.items)

    def part(self, begin: int, end: int) -> Vectors:
        """Return the rows from ``begin`` to before ``end``."""
        return Vectors(self.items[begin:end], self.matrix[begin:end])


def read(space: SpaceDefinition, version: str, items: Iterable[Any] | None = None) -> Vectors:
    """Read the vectors of these items, or of all, into memory, ordered by item."""
    chunks = list(stream(space, version, items))
    if not chunks:
        empty = np.empty((0, space.embedder.dimensions), np.float32)
        return Vectors(np.empty(0, object), empty)
    keys = np.concatenate([chunk.items for chunk in chunks])
    order = np.argsort(keys, kind="stable")
    matrix = np.empty((len(keys), chunks[0].matrix.shape[1]), np.float32)
    place, begin = np.argsort(order), 0
    while chunks:  # let go of each once it is copied: at most a chunk is there twice
        chunk = chunks.pop(0)
        matrix[place[begin : begin + len(chunk)]] = chunk.matrix
        begin += len(chunk)
    return Vectors(keys[order], matrix)


def stream(
    space: SpaceDefinition, version: str, items: Iterable[Any] | None = None
) -> Iterator[Vectors]:
    """Yield the committed vectors in chunks of about 4,096; no item is in two chunks.

    In no order, except that an item's photos come together. Must run in a transaction.
    """
    connection = connections[space.using]
    connection.ensure_connection()
    sql, values = _query(space, version, items)
    left: Vectors | None = None
    # psycopg's own cursor: under DEBUG, Django's wrapper takes no values
    with connection.cursor() as cursor, cursor.cursor.copy(sql, values) as copy:
        for rows in _chunks(iter(copy)):
            found = _parse(rows, space)
            if left is not None:
                found = _joined(left, found)
            # with several photos an item the next chunk may go on with the last one
            whole = int(group_starts(found.items)[1][-1]) if space.item else len(found)
            left = found.part(whole, len(found)) if whole < len(found) else None
            if whole:
                yield found.part(0, whole)
    if left is not None:
        yield left


def _joined(first: Vectors, second: Vectors) -> Vectors:
    return Vectors(
        np.concatenate([first.items, second.items]), np.concatenate([first.matrix, second.matrix])
    )


def _query(
    space: SpaceDefinition, version: str, items: Iterable[Any] | None
) -> tuple[str, list[Any]]:
    connection = connections[space.using]
    quote = connection.ops.quote_name
    key, order = "e.owner_id", ""
    source = f"{quote(space.embedding_model._meta.db_table)} e"
    if space.item:
        photos = space.item_field.model._meta  # a parent of the space's model may hold the key
        key = f"p.{quote(space.item_field.column)}"
        source += f" JOIN {quote(photos.db_table)} p ON p.{quote(photos.pk.column)} = e.owner_id"
        order = f" ORDER BY {key}, e.owner_id"
    where = f"e.version = %s AND {key} IS NOT NULL"
    values: list[Any] = [version]
    if items is not None:
        type_ = space.item_model._meta.pk.rel_db_type(connection)
        where += f" AND {key} = ANY(%s::{type_}[])"
        values.append(list(items))
    cast = "bigint" if _has_integer_keys(space) else "text"
    selected = f"SELECT {key}::{cast}, e.vector FROM {source} WHERE {where}{order}"  # noqa: S608
    return f"COPY ({selected}) TO STDOUT (FORMAT BINARY)", values


def _has_integer_keys(space: SpaceDefinition) -> bool:
    field: Any = space.item_model._meta.pk
    while field.remote_field:  # a child's key is its parent's
        field = field.target_field
    return isinstance(field, models.IntegerField)


def _chunks(messages: Iterator[Any]) -> Iterator[list[bytes]]:
    """Yield rows by the thousand, without the header before them and the end after them."""
    rows: list[bytes] = []
    first = bytes(next(messages))[HEADER_BYTES:]
    for message in chain([first] if first else [], messages):
        if len(message) > KEY.size:
            rows.append(bytes(message))
        if len(rows) == CHUNK_ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def _parse(rows: list[bytes], space: SpaceDefinition) -> Vectors:
    halves = 2 * space.embedder.dimensions
    if _has_integer_keys(space):
        fields = [("", f"V{KEY.size}"), ("key", ">i8"), ("", f"V{VECTOR.size}")]
        table = np.frombuffer(b"".join(rows), dtype=[*fields, ("vector", f"V{halves}")])
        keys = table["key"].astype(np.int64)
        raw = table["vector"].tobytes()
    else:
        to_python = space.item_model._meta.pk.to_python
        keys = np.empty(len(rows), dtype=object)
        keys[:] = [to_python(row[KEY.size : -halves - VECTOR.size].decode()) for row in rows]
        raw = b"".join(row[-halves:] for row in rows)
    matrix = np.frombuffer(raw, dtype=">f2").reshape(len(rows), -1).astype(np.float32)
    # rounding to halves moved the lengths a little: a dot product is to be the cosine again
    return Vectors(keys, unit(matrix))
