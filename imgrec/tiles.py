"""Building the lists of a large space in tiles: by as many workers as there are, resumable.

A tile is a row: some items whose lists are computed in one go. Whoever works locks one that
nobody holds, so ten machines build ten times as fast; one that dies lets go of its tile. Tiles
share the space's lock, repairs take it alone: between two tiles, never beside one. What is saved
after the tiles were made has marks of its own and is repaired as ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, Func, IntegerField, Q, QuerySet, Sum

from imgrec import accelerator, lists, pairs, reading
from imgrec.clusters import clusters
from imgrec.conf import settings
from imgrec.locks import advisory_lock
from imgrec.models import ListTile
from imgrec.reading import Vectors
from imgrec.spaces import SpaceDefinition

LOCK = "imgrec.lists"
# Each tile reads every vector once: the larger it is, the fewer passes; 64 MB of similarities.
ITEMS = 4096


@dataclass(frozen=True)
class Progress:
    """Items whose lists are to be built, and how many of them are."""

    total: int
    done: int


def plan(space: SpaceDefinition, version: str) -> int:
    """Make the tiles of a build of all lists, instead of those there are; return how many.

    Up to ``exact_lists_below`` items each tile is compared with everything; above, tiles are
    clusters of look-alikes, compared with the clusters around them.
    """
    lists.forget_others(space, version)
    rows = space.embedding_model.objects.using(space.using).filter(
        version=version, **{f"{space.item_column}__isnull": False}
    )
    keys = sorted(set(rows.values_list(space.item_column, flat=True).iterator(10_000)))
    _tiles(space).delete()
    if len(keys) <= settings.exact_lists_below:
        size = ITEMS
        cuts: list[tuple[list[Any], list[int]]] = [
            (keys[i : i + size], []) for i in range(0, len(keys), size)
        ]
    else:
        found = clusters(space, version, len(keys))
        cuts = [(each.items, each.compared_with) for each in found]
    made = [
        ListTile(space=space.label, number=i, items=list(map(str, items)), compared_with=others)
        for i, (items, others) in enumerate(cuts)
    ]
    _tiles(space).bulk_create(made, batch_size=100)
    return len(made)


def work(space: SpaceDefinition, version: str) -> bool:
    """Build the lists of one tile; return False when there was none to take."""
    with transaction.atomic(using=space.using):
        advisory_lock(space, LOCK, wait=True, shared=True)
        free = _tiles(space).filter(is_done=False).select_for_update(skip_locked=True)
        tile = free.order_by("number").first()
        if tile is None:
            return False
        build(space, version, tile)
        tile.is_done = True
        tile.save(using=space.using, update_fields=["is_done"])
    undone = _tiles(space).filter(is_done=False)
    _tiles(space).filter(~Exists(undone)).delete()
    return True


def build(space: SpaceDefinition, version: str, tile: ListTile) -> None:
    """Build the lists of one tile; in a transaction of the caller's."""
    to_python = space.item_model._meta.pk.to_python
    items = [to_python(key) for key in tile.items]
    others = None
    if tile.compared_with:
        around = _tiles(space).filter(number__in=tile.compared_with)
        others = [to_python(key) for keys in around.values_list("items", flat=True) for key in keys]
    for begin in range(0, len(items), ITEMS):  # a cluster may be larger
        queries = reading.read(space, version, items[begin : begin + ITEMS])
        found = _nearest(space, queries, reading.stream(space, version, others))
        lists.write(space, version, found.rows())


def _nearest(space: SpaceDefinition, queries: Vectors, chunks: Iterator[Vectors]) -> pairs.TopK:
    k = settings.stored_neighbours
    if not space.item and (device := accelerator.device()):
        return accelerator.nearest(queries, chunks, k, on=device)
    return pairs.nearest(queries, pairs.blocks(queries, chunks), k)


def is_open(space: SpaceDefinition) -> bool:
    """Return whether tiles of the space wait, or are being built."""
    return _tiles(space).filter(is_done=False).exists()


def waiting(space: SpaceDefinition) -> int:
    """Count the tiles not done."""
    return _tiles(space).filter(is_done=False).count()


def progress(space: SpaceDefinition) -> Progress:
    """Return how far the build is; (0, 0) when there is none."""
    size = Func(F("items"), function="cardinality", output_field=IntegerField())
    counted: dict[str, Any] = _tiles(space).aggregate(
        total=Sum(size), done=Sum(size, filter=Q(is_done=True))
    )
    return Progress(counted["total"] or 0, counted["done"] or 0)


def _tiles(space: SpaceDefinition) -> QuerySet[ListTile]:
    return ListTile.objects.using(space.using).filter(space=space.label)
