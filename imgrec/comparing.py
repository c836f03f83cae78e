"""Two spaces of the same products, held against each other before shoppers see the other one.

From the lists that are stored, so that a page can ask: a sample of a few hundred, however large
the shop is. ``imgrec_eval --against`` compares all of them, by brute force.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from django.db import connections
from django.db.models import Exists, OuterRef, QuerySet

from imgrec import recall
from imgrec.spaces import SpaceDefinition
from imgrec.sql import Part, compose, fetched
from imgrec.visibility import item_path, recommendable, visible

SAMPLE = 500
# Of each list so many times as many neighbours are looked at as are compared: those that may not
# be recommended are left out, as shoppers see it.
LOOKED_AT = 4
# Larger tables are not read whole for the sample: only as many of their pages as hold so many.
READ_ROWS = 20_000

_DRAW = """
SELECT owner_id FROM {lists} {pages} WHERE version = {version}
ORDER BY md5(owner_id::text) LIMIT {most}
"""
_ESTIMATE = "SELECT reltuples FROM pg_class WHERE oid = {lists}::regclass"


@dataclass(frozen=True)
class Pair:
    """What shoppers see beside one product in either space, most similar first."""

    key: Any
    a: list[Any]
    b: list[Any]

    @property
    def shared(self) -> int:
        """How many products both show."""
        return len(set(self.a) & set(self.b))

    @property
    def overlap(self) -> float:
        """The shared part of the longer of the two, 0..1; of two empty ones everything."""
        longer = max(len(self.a), len(self.b))
        return self.shared / longer if longer else 1.0


@dataclass(frozen=True)
class Comparison:
    """Lists of ``k`` of some products; ``is_whole``: these are all that have one in both."""

    k: int
    pairs: list[Pair]
    is_whole: bool

    @property
    def overlap(self) -> float | None:
        """The mean overlap@k, 0..1; None without any list."""
        return fmean(each.overlap for each in self.pairs) if self.pairs else None

    @property
    def margin(self) -> float:
        """The overlap of all products is within this of it, at 95 %."""
        if self.is_whole or len(self.pairs) < 2:
            return 0.0
        return 1.96 * stdev(each.overlap for each in self.pairs) / math.sqrt(len(self.pairs))

    def histogram(self) -> list[int]:
        """Return how many lists share 0, 1 … k products."""
        counted = [0] * (self.k + 1)
        for each in self.pairs:
            counted[each.shared] += 1
        return counted

    def changed_first(self) -> list[Pair]:
        """Return them, those first that share least."""
        return sorted(self.pairs, key=lambda each: each.overlap)


def compare(a: SpaceDefinition, b: SpaceDefinition, k: int = 8) -> Comparison:
    """Compare what shoppers see of both: five small statements, on a sample that stays the same.

    Products without a list in either space are left out: :func:`without_list` counts them.
    """
    drawn = _drawn(a, 2 * SAMPLE)
    in_a, in_b = _lists(a, drawn, k), _lists(b, drawn, k)
    named = {key for lists in (in_a, in_b) for keys in lists.values() for key in keys}
    seeds = _keys(a, visible(a, _items(a)), {key for key in drawn if key in in_a and key in in_b})
    shown_a = _keys(a, recommendable(a, _items(a)), named)
    shown_b = shown_a if _same_rules(a, b) else _keys(b, recommendable(b, _items(b)), named)
    pairs = [
        Pair(key, _first(in_a[key], shown_a, k), _first(in_b[key], shown_b, k))
        for key in drawn
        if key in seeds
    ]
    return Comparison(k, pairs[:SAMPLE], is_whole=len(drawn) < 2 * SAMPLE and len(pairs) <= SAMPLE)


def without_list(a: SpaceDefinition, b: SpaceDefinition) -> int:
    """Count the products that have a list in ``a`` and would have none in ``b``."""
    theirs = _stored(b).filter(owner=OuterRef("owner"))
    return _stored(a).filter(~Exists(theirs)).count()


def count_lists(space: SpaceDefinition) -> int:
    """Count the products that have a list of the version that is served."""
    return _stored(space).count()


def _stored(space: SpaceDefinition) -> QuerySet[Any]:
    rows: QuerySet[Any] = space.list_model.objects.using(space.using)
    return rows.filter(version=recall.served_version(space))


def _drawn(space: SpaceDefinition, most: int) -> list[Any]:
    """Return keys of products by chance: the same each time, that a page may be loaded again."""
    lists = connections[space.using].ops.quote_name(space.list_model._meta.db_table)
    ((rows,),) = fetched(compose(_ESTIMATE, lists=Part("%s", (lists,))), space.using)
    percent = 100 * READ_ROWS / rows if rows > READ_ROWS else 100
    statement = compose(
        _DRAW,
        lists=lists,
        pages=f"TABLESAMPLE SYSTEM ({percent:.4f}) REPEATABLE (1)" if percent < 100 else "",
        version=Part("%s", (recall.served_version(space),)),
        most=most,
    )
    return [key for (key,) in fetched(statement, space.using)]


def _lists(space: SpaceDefinition, keys: list[Any], k: int) -> dict[Any, list[Any]]:
    rows = _stored(space).filter(owner__in=keys).values_list("owner", "neighbours")
    return {owner: neighbours[: LOOKED_AT * k] for owner, neighbours in rows}


def _items(space: SpaceDefinition) -> QuerySet[Any]:
    rows: QuerySet[Any] = space.item_model._base_manager.using(space.using).order_by()
    return rows


def _keys(space: SpaceDefinition, rows: QuerySet[Any], among: set[Any]) -> set[Any]:
    path = item_path(space)
    return set(rows.filter(**{f"{path}__in": list(among)}).values_list(path, flat=True))


def _same_rules(a: SpaceDefinition, b: SpaceDefinition) -> bool:
    return (a.visible, a.recommend) == (b.visible, b.recommend)


def _first(keys: list[Any], shown: set[Any], k: int) -> list[Any]:
    return [key for key in keys if key in shown][:k]
