"""Which products show nearly the same photo: near in their lists, and near in their hashes.

Cosine alone takes another shirt on the same hanger for the same shirt, and a hash alone takes any
dark shape on white for any other. Together they are right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from django.db import connections, transaction

from imgrec.calibrating import served_version
from imgrec.duplicates.hashes import bits_apart
from imgrec.duplicates.known import hashes_by_item
from imgrec.duplicates.limits import Limits
from imgrec.locks import advisory_lock
from imgrec.models import DuplicatePair
from imgrec.spaces import SpaceDefinition

PAIRS_AT_ONCE = 2_000
LOCK = "imgrec.duplicates"

# Each pair once, whichever of the two lists it is in: a crowded one may have left it out.
_NEAR = """
SELECT one.key, other.key, max(near.similarity)
FROM {lists} AS list, unnest(list.neighbours, list.similarities) AS near(key, similarity),
    LATERAL (SELECT least(list.owner_id, near.key)) AS one(key),
    LATERAL (SELECT greatest(list.owner_id, near.key)) AS other(key)
WHERE list.version = %s AND near.similarity >= %s
GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Pair:
    """Two products by key, how alike their nearest photos are, and in how many bits they differ."""

    first: Any
    second: Any
    similarity: float
    bits: int


def find(space: SpaceDefinition, limits: Limits) -> int:
    """Write down the pairs there are now; return how many nobody has decided about.

    What was decided stays; what was open and is no pair any more goes.

    Raises:
        ValueError: the lists are of another version of the encoder than the one set up.
    """
    served = served_version(space)
    if served != space.embedder.version:
        raise ValueError(
            f"{space.label}: the lists are of {served or 'nothing yet'}, the encoder is "
            f"{space.embedder.version}. Wait until all photos are embedded."
        )
    with transaction.atomic(using=space.using):
        advisory_lock(space, LOCK, wait=True)
        ours = DuplicatePair.objects.using(space.using).filter(space=space.label)
        found = list(pairs(space, limits))
        _write(space, found)
        still = {_key(each) for each in found}
        opened = ours.filter(decision="").values_list("pk", "first", "second")
        gone = [pk for pk, *key in opened if tuple(key) not in still]
        ours.filter(pk__in=gone).delete()
        return ours.filter(decision="").count()


def pairs(space: SpaceDefinition, limits: Limits) -> Iterator[Pair]:
    """Yield the products that are as near as copies are."""
    for some in _batches(_near(space, limits.least_similarity)):
        known = hashes_by_item(space, {key for one, other, _near in some for key in (one, other)})
        for one, other, similarity in some:
            sides = product(known.get(one, ()), known.get(other, ()))
            bits = min((bits_apart(*each) for each in sides), default=65)
            if limits.hold(similarity, bits):
                yield Pair(one, other, similarity, bits)


def _near(space: SpaceDefinition, least: float) -> Iterator[tuple[Any, Any, float]]:
    connection = connections[space.using]
    lists = connection.ops.quote_name(space.list_model._meta.db_table)
    with connection.chunked_cursor() as cursor:
        cursor.execute(_NEAR.format(lists=lists), [space.embedder.version, least])
        while rows := cursor.fetchmany(PAIRS_AT_ONCE):
            yield from rows


def _key(pair: Pair) -> tuple[str, str]:
    first, second = sorted((str(pair.first), str(pair.second)))
    return first, second


def _write(space: SpaceDefinition, found: list[Pair]) -> None:
    rows = (
        DuplicatePair(
            space=space.label,
            first=first,
            second=second,
            similarity=pair.similarity,
            bits=pair.bits,
        )
        for pair in found
        for first, second in [_key(pair)]
    )
    DuplicatePair.objects.using(space.using).bulk_create(
        rows,
        batch_size=PAIRS_AT_ONCE,
        update_conflicts=True,
        unique_fields=["space", "first", "second"],
        update_fields=["similarity", "bits"],
    )


def _batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while some := list(islice(rows, PAIRS_AT_ONCE)):
        yield some
