"""One batch of changed items against the whole space: exactly the lists they enter or leave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import FloatField, IntegerField
from django.db.models.expressions import RawSQL

from imgrec import lists, reading
from imgrec.conf import settings
from imgrec.lists import Row
from imgrec.pairs import Block, blocks, nearest
from imgrec.spaces import SpaceDefinition
from imgrec.topk import group_starts

Neighbours = dict[Any, float]


class Repair:
    """One pass over all vectors for the whole batch, and one for lists that shrank too far."""

    def __init__(self, space: SpaceDefinition, version: str, items: set[Any]) -> None:
        self.space = space
        self.version = version
        self.items = items
        everyone = space.list_model.objects.using(space.using)
        # lists of an older version are not shown any more, and never mixed with ours
        self.lists = everyone.filter(version=version)
        self.changed = reading.read(space, version, items)
        # for each list that a changed item may enter: those items and their similarity
        self.entering: dict[Any, Neighbours] = defaultdict(dict)
        self.refill: set[Any] = set()

    def run(self) -> int:
        """Write the changed items' own lists and every list they enter or leave."""
        k = settings.stored_neighbours
        own = nearest(self.changed, self._watched(self._blocks(self.changed)), k)
        gone = self.items - set(own.owners.tolist())
        touched = (set(self.entering) | self._holders()) - self.items
        written = lists.write(self.space, self.version, self._updated(sorted(touched)))
        if self.refill:
            wanted = reading.read(self.space, self.version, self.refill)
            again = nearest(wanted, self._blocks(wanted), k)
            written += lists.write(self.space, self.version, again.rows())
        self.lists.filter(owner__in=gone).delete()
        return written + lists.write(self.space, self.version, own.rows())

    def _blocks(self, queries: reading.Vectors) -> Iterator[Block]:
        return blocks(queries, reading.stream(self.space, self.version))

    def _watched(self, passing: Iterable[Block]) -> Iterator[Block]:
        """Let the blocks pass, noting which lists a changed item enters on the way."""
        tails = self._tails()
        self.refill |= self._short() - self.items
        changed = group_starts(self.changed.items)[0].tolist()
        for items, block in passing:
            keys = items.tolist()
            last = np.array([tails.get(item, np.inf) for item in keys])
            for i, j in np.argwhere(block >= last):
                self.entering[keys[j]][changed[i]] = float(block[i, j])
            yield items, block

    def _tails(self) -> dict[Any, float]:
        """Return the similarity of every list's last entry, a little less for rounding.

        As two arrays in one row: a row each would take several times as long.
        """
        last = RawSQL("similarities[cardinality(similarities)]", [], FloatField())
        rows = self.lists.annotate(tail=last).filter(tail__isnull=False)
        owners, tails = rows.aggregate(o=ArrayAgg("owner"), t=ArrayAgg("tail")).values()
        return dict(zip(owners or [], (np.array(tails or []) - lists.SAME).tolist(), strict=True))

    def _short(self) -> set[Any]:
        """Return the items whose list once held everybody: it has room for whoever has come."""
        length = RawSQL("cardinality(neighbours)", [], IntegerField())
        short = self.lists.annotate(length=length).filter(length__lt=settings.refill_below)
        return set(short.values_list("owner", flat=True))

    def _holders(self) -> set[Any]:
        """Return the items whose list holds a changed item (by the GIN index)."""
        holding = self.lists.filter(neighbours__overlap=list(self.items))
        return set(holding.values_list("owner", flat=True))

    def _updated(self, touched: list[Any]) -> Iterator[Row]:
        """Yield the lists that are exact after the edit; note those to compute anew."""
        for owner, keys, similarities in lists.stored(self.space, self.version, touched):
            pairs = zip(keys, similarities, strict=True)
            kept = {key: value for key, value in pairs if key not in self.items}
            kept |= self.entering.get(owner, {})
            if owner in self.refill or len(kept) < settings.refill_below:
                self.refill.add(owner)
                continue
            best = sorted(kept.items(), key=lambda pair: (-pair[1], pair[0]))
            best = best[: settings.stored_neighbours]
            items = np.empty(len(best), object)
            items[:] = [key for key, _value in best]
            yield owner, items, np.array([value for _key, value in best], np.float32)
