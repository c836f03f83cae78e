"""What must hold once a campaign has settled, whatever happened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from django.core.files.storage import default_storage
from django.db import connection
from PIL import Image

from imgrec import states
from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition
from tests.brute_force import differences
from tests.testapp.models import Product

# Halves keep 11 bits.
SAME = 2e-3
_NUMBER = re.compile(r"p(\d+)\.png$")

_WATCH = """
CREATE TABLE faults_stored (id bigserial, owner text, source_name text);
CREATE FUNCTION faults_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO faults_stored (owner, source_name) VALUES (NEW.owner_id, NEW.source_name);
    RETURN NULL;
END $$;
CREATE TRIGGER faults_note AFTER INSERT OR UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION faults_note();
"""
_FORGET = """
DROP TRIGGER IF EXISTS faults_note ON {table};
DROP FUNCTION IF EXISTS faults_note;
DROP TABLE IF EXISTS faults_stored;
"""


@contextmanager
def every_vector_noted(space: SpaceDefinition) -> Iterator[None]:
    """Have the database note which photo each vector was of when it was stored."""
    _execute(_FORGET, space)
    _execute(_WATCH, space)
    try:
        yield
    finally:
        connection.close()
        _execute(_FORGET, space)


def _execute(statements: str, space: SpaceDefinition) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statements.format(table=space.embedding_model._meta.db_table))


def old_photos_stored() -> list[str]:
    """Return the vectors of an old photo that were stored after a newer one's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT owner, source_name FROM faults_stored ORDER BY id")
        rows = cursor.fetchall()
    newest: dict[str, int] = {}
    found = []
    for owner, name in rows:
        number = _number(name)
        if number < newest.get(owner, 0):
            found.append(f"{owner}: the vector of {name} stored after that of p{newest[owner]}")
        newest[owner] = max(number, newest.get(owner, 0))
    return found


def _number(name: str) -> int:
    match = _NUMBER.search(name)
    assert match, f"{name} is no photo of a campaign"
    return int(match[1])


def unsettled(space: SpaceDefinition) -> dict[str, int]:
    """Return how many photos are neither ready nor failed, and what is still to be done."""
    ended = {"ready", "failed", "no_photo"}
    counted = states.count_states(space)
    found = {state: n for state, n in counted.items() if n and state not in ended}
    if left := EmbeddingJob.objects.exclude(state="failed").count():
        found["jobs"] = left
    return found


def without_a_reason() -> list[str]:
    """Return photos that failed and do not say why."""
    failed = EmbeddingJob.objects.filter(state="failed")
    return [job.object_pk for job in failed if not (job.reason and job.message)]


def wrong_vectors(space: SpaceDefinition) -> list[str]:
    """Return rows whose vector is not that of the file their photo names now."""
    failed = set(EmbeddingJob.objects.filter(state="failed").values_list("object_pk", flat=True))
    stored = {row.owner_id: row for row in space.embedding_model.objects.all()}
    found = []
    for key, photo in Product.objects.values_list("pk", "photo"):
        row = stored.pop(key, None)
        if not photo and row:
            found.append(f"{key}: a vector and no photo")
        if photo and row:
            found += _compared(space, key, photo, row)
        if photo and not row and str(key) not in failed:
            found.append(f"{key}: no vector of {photo}")
    return found + [f"{key}: a vector and no product" for key in stored]


def _compared(space: SpaceDefinition, key: int, photo: str, row: object) -> list[str]:
    with default_storage.open(photo) as file, Image.open(file) as picture:
        (truth,) = space.embedder.embed([picture.convert("RGB")])
    vector = np.asarray(row.vector, dtype=np.float32)  # type: ignore[attr-defined]
    off = float(np.abs(vector - truth).max())
    name = row.source_name  # type: ignore[attr-defined]
    return [f"{key}: the vector of {name}, not of {photo} ({off:.3f})"] if off > SAME else []


def broken(space: SpaceDefinition) -> list[str]:
    """Return every promise that is not kept, in words."""
    return [
        *(f"{n} {state}" for state, n in unsettled(space).items()),
        *(f"{key}: failed without a reason" for key in without_a_reason()),
        *old_photos_stored(),
        *wrong_vectors(space),
        *differences(space),
    ]
