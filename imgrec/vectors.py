"""New vectors on their way into PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connections

from imgrec.halves import to_text
from imgrec.spaces import SpaceDefinition
from imgrec.topk import Matrix


@dataclass(frozen=True)
class NewVector:
    """One photo's vector on its way to the table."""

    object_pk: str
    job_id: int
    source_name: str
    sha256: str
    vector: Matrix


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
        [to_text(each.vector) for each in vectors],
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, [space.embedder.version, *columns])
        return {str(owner) for (owner,) in cursor.fetchall()}


def by_digest(space: SpaceDefinition, digests: Iterable[str]) -> dict[str, Matrix]:
    """Return the vectors, float32, that the encoder made of these bytes before, for any item."""
    rows = space.embedding_model.objects.using(space.using).order_by("sha256")
    same = rows.filter(sha256__in=list(digests), version=space.embedder.version)
    found = same.distinct("sha256").values_list("sha256", "vector")
    return {digest: np.asarray(vector, dtype=np.float32) for digest, vector in found}
