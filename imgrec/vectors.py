"""Vectors out of and into PostgreSQL: ``halfvec`` rows on one side, NumPy arrays on the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connections, models
from django.db.models import Func
from pgvector import HalfVector

from imgrec.spaces import SpaceDefinition
from imgrec.topk import Matrix, unit

CHUNK_ROWS = 4096


@dataclass(frozen=True)
class Vectors:
    """Unit vectors in the order of their items: ``matrix`` (n, dimensions), ``items`` (n)."""

    items: list[Any]
    matrix: Matrix


@dataclass(frozen=True)
class NewVector:
    """One photo's vector on its way to the table."""

    object_pk: str
    job_id: int
    source_name: str
    sha256: str
    vector: Matrix


def read(space: SpaceDefinition, version: str, items: Iterable[Any] | None = None) -> Vectors:
    """Read the vectors of these items, or of all, into memory."""
    chunks = list(stream(space, version, items))
    dimensions = space.embedder.dimensions
    return Vectors(
        [item for chunk in chunks for item in chunk.items],
        np.concatenate([c.matrix for c in chunks])
        if chunks
        else np.empty((0, dimensions), np.float32),
    )


def stream(
    space: SpaceDefinition, version: str, items: Iterable[Any] | None = None
) -> Iterator[Vectors]:
    """Yield the committed vectors in chunks, ordered by item; an item may span two chunks.

    Must run in a transaction: the rows come through a server-side cursor.
    """
    column = space.item_column
    rows = space.embedding_model.objects.using(space.using).filter(
        version=version, **{f"{column}__isnull": False}
    )
    if items is not None:
        rows = rows.filter(**{f"{column}__in": list(items)})
    # halfvec_send is the type's binary form: far quicker to read than its text
    sent = Func("vector", function="halfvec_send", output_field=models.BinaryField())
    found = rows.order_by(column, "pk").values_list(column, sent).iterator(CHUNK_ROWS)
    batch: list[tuple[Any, Any]] = []
    for row in found:
        batch.append(row)
        if len(batch) == CHUNK_ROWS:
            yield _parse(batch)
            batch = []
    if batch:
        yield _parse(batch)


def _parse(rows: Sequence[tuple[Any, Any]]) -> Vectors:
    """Parse halfvec_send: 2 bytes of dimensions, 2 unused, then big-endian halves."""
    raw = np.frombuffer(b"".join(bytes(sent) for _item, sent in rows), dtype=">f2")
    halves = raw.reshape(len(rows), -1)[:, 2:].astype(np.float32)
    # rounding to halves moved the lengths a little: a dot product is to be the cosine again
    return Vectors([item for item, _sent in rows], unit(halves))


_STORE = """
INSERT INTO {table} AS stored
    (owner_id, vector, source_name, sha256, version, job_id, embedded_at{item_column})
SELECT photo.{key}, new.vector::halfvec, new.source_name, new.sha256, %s, new.job_id,
    statement_timestamp(){item}
FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[])
    AS new(object_pk, job_id, source_name, sha256, vector)
JOIN {photos} AS photo
    ON photo.{key} = new.object_pk::{key_type} AND photo.{source} = new.source_name
ORDER BY photo.{key}
ON CONFLICT (owner_id) DO UPDATE SET vector = EXCLUDED.vector,
    source_name = EXCLUDED.source_name, sha256 = EXCLUDED.sha256, version = EXCLUDED.version,
    job_id = EXCLUDED.job_id, embedded_at = EXCLUDED.embedded_at{item_update}
WHERE stored.job_id <= EXCLUDED.job_id
RETURNING owner_id
"""


def store(space: SpaceDefinition, vectors: Sequence[NewVector]) -> set[str]:
    """Write vectors whose photo is still the row's and whose job is not older; return the keys.

    A compare-and-set in one statement: nobody's old photo overwrites a new one.
    """
    connection = connections[space.using]
    photos = space.source_field.model._meta
    quote = connection.ops.quote_name
    item = space.item and f"photo.{quote(space.item_field.column)}"
    sql = _STORE.format(
        item_column=item and ", item_pk",
        item=item and f", coalesce({item}::text, '')",
        item_update=item and ", item_pk = EXCLUDED.item_pk",
        table=quote(space.embedding_model._meta.db_table),
        photos=quote(photos.db_table),
        key=quote(photos.pk.column),
        key_type=photos.pk.rel_db_type(connection),
        source=quote(space.source_field.column),
    )
    columns: list[list[Any]] = [
        [each.object_pk for each in vectors],
        [each.job_id for each in vectors],
        [each.source_name for each in vectors],
        [each.sha256 for each in vectors],
        [HalfVector(each.vector).to_text() for each in vectors],
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, [space.embedder.version, *columns])
        return {str(owner) for (owner,) in cursor.fetchall()}
