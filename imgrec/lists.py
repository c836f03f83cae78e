"""Computes top-k lists from committed vectors, and writes those that differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from django.db.models import FloatField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from imgrec import topk, vectors
from imgrec.conf import settings
from imgrec.spaces import SpaceDefinition
from imgrec.topk import Matrix, Neighbours
from imgrec.vectors import Vectors

TILE_ROWS = 512

# items of a chunk, and their similarity to the queried items: (queried items, chunk's items)
Scored = tuple[list[Any], Matrix]


def build_all(space: SpaceDefinition, version: str) -> int:
    """Build every list in tiles of rows against all columns; return how many were written.

    Memory: every vector once (items * dimensions * 4 B) and a tile (512 * items * 4 B).
    """
    everything = vectors.read(space, version)
    keys, _starts = topk.group_starts(everything.items)
    space.list_model.objects.using(space.using).exclude(owner__in=keys).delete()
    written = 0
    for tile in _tiles(everything):
        written += write(space, version, nearest(tile, scored(tile, [everything])))
    return written


def _tiles(everything: Vectors) -> Iterator[Vectors]:
    """Cut into tiles of about TILE_ROWS photos, never through an item."""
    _keys, starts = topk.group_starts(everything.items)
    n, begin = len(everything.items), 0
    while begin < n:
        later = starts[starts >= begin + TILE_ROWS]
        end = int(later[0]) if len(later) else n
        yield Vectors(everything.items[begin:end], everything.matrix[begin:end])
        begin = end


def scored(queries: Vectors, chunks: Iterable[Vectors]) -> Iterator[Scored]:
    """Yield the similarity of each queried item to each chunk's items, in 0..1."""
    _keys, starts = topk.group_starts(queries.items)
    for chunk in chunks:
        items, chunk_starts = topk.group_starts(chunk.items)
        products = np.clip(queries.matrix @ chunk.matrix.T, 0.0, 1.0)
        yield items, topk.best_pairs(topk.best_pairs(products, chunk_starts, 1), starts, 0)


def nearest(queries: Vectors, chunks: Iterable[Scored]) -> dict[Any, Neighbours]:
    """Return the exact top-k of each item of ``queries`` over all chunks, itself left out."""
    keys, _starts = topk.group_starts(queries.items)
    best: dict[Any, Neighbours] = {key: [] for key in keys}
    for items, similarities in chunks if keys else ():
        place = {item: i for i, item in enumerate(items)}
        for key, row in zip(keys, similarities, strict=True):
            if key in place:
                row[place[key]] = -1.0
            best[key] = _merge(best[key], items, row)
    return best


def _merge(best: Neighbours, items: list[Any], row: Any) -> Neighbours:
    known = dict(best)
    for i in topk.largest(row, settings.stored_neighbours):
        if row[i] >= 0:  # an item cut by two chunks comes twice: its better half counts
            known[items[i]] = max(known.get(items[i], 0.0), float(row[i]))
    return topk.top(known.items(), settings.stored_neighbours)


class Repair:
    """One batch of changed items against the whole space: one pass, and one for refills."""

    def __init__(self, space: SpaceDefinition, version: str, items: set[Any]) -> None:
        self.space = space
        self.version = version
        self.items = items
        self.lists = space.list_model.objects.using(space.using)
        self.changed = vectors.read(space, version, items)
        # for each list that a changed item may enter: those items and their similarity
        self.entering: dict[Any, Neighbours] = {}

    def run(self) -> int:
        """Write the changed items' own lists and every list they enter or leave."""
        passing = scored(self.changed, vectors.stream(self.space, self.version))
        own = nearest(self.changed, self._watched(passing))
        updated, refill = self._updated((set(self.entering) | self._holders()) - self.items)
        if refill:
            wanted = vectors.read(self.space, self.version, refill)
            again = scored(wanted, vectors.stream(self.space, self.version))
            updated |= nearest(wanted, again)
        self.lists.filter(owner__in=self.items - set(own)).delete()
        return write(self.space, self.version, updated | own)

    def _watched(self, chunks: Iterable[Scored]) -> Iterator[Scored]:
        """Let the chunks pass, noting which lists a changed item enters on the way."""
        tails = self._tails()
        keys, _starts = topk.group_starts(self.changed.items)
        for items, similarities in chunks:
            last = np.array([tails.get(item, np.inf) for item in items])
            for i, j in np.argwhere(similarities >= last):
                pair = (keys[i], float(similarities[i, j]))
                self.entering.setdefault(items[j], []).append(pair)
            yield items, similarities

    def _tails(self) -> dict[Any, float]:
        """Return the similarity of every list's last entry."""
        last = RawSQL("similarities[cardinality(similarities)]", [], FloatField())
        return dict(self.lists.annotate(tail=last).values_list("owner", "tail"))

    def _holders(self) -> set[Any]:
        """Return the items whose list holds a changed item (by the GIN index)."""
        holding = self.lists.filter(neighbours__overlap=list(self.items))
        return set(holding.values_list("owner", flat=True))

    def _updated(self, touched: set[Any]) -> tuple[dict[Any, Neighbours], set[Any]]:
        """Return the lists that are exact after the edit, and the items to compute anew."""
        updated: dict[Any, Neighbours] = {}
        refill: set[Any] = set()
        rows = self.lists.filter(owner__in=touched)
        for owner, ids, similarities in rows.values_list("owner", "neighbours", "similarities"):
            kept = {i: s for i, s in zip(ids, similarities, strict=True) if i not in self.items}
            for item, similarity in self.entering.get(owner, []):
                kept[item] = max(kept.get(item, 0.0), similarity)
            if len(kept) < settings.refill_below:
                refill.add(owner)
            else:
                updated[owner] = topk.top(kept.items(), settings.stored_neighbours)
        return updated, refill


def write(space: SpaceDefinition, version: str, found: dict[Any, Neighbours]) -> int:
    """Write the lists that differ from the stored ones; return how many."""
    lists = space.list_model.objects.using(space.using)
    rows = lists.filter(owner__in=list(found))
    stored = {
        owner: rest
        for owner, *rest in rows.values_list("owner", "version", "neighbours", "similarities")
    }
    changed = []
    for owner, neighbours in found.items():
        ids, similarities = [i for i, _ in neighbours], [s for _, s in neighbours]
        if stored.get(owner) != [version, ids, similarities]:
            changed.append((owner, ids, similarities))
    lists.bulk_create(
        [
            space.list_model(
                owner_id=owner,
                neighbours=ids,
                similarities=similarities,
                version=version,
                updated_at=Now(),
            )
            for owner, ids, similarities in changed
        ],
        batch_size=500,
        update_conflicts=True,
        unique_fields=["owner"],
        update_fields=["neighbours", "similarities", "version", "updated_at"],
    )
    return len(changed)
