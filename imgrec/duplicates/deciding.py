"""What products that share a photo are to each other: somebody says it once.

The shop's models are the shop's: what follows from a decision is done by its receivers of
``imgrec.signals.duplicates_decided``, in the transaction that keeps the decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from imgrec.models import DuplicatePair
from imgrec.signals import duplicates_decided
from imgrec.spaces import SpaceDefinition

Decision = DuplicatePair.Decision


@dataclass(frozen=True)
class Cluster:
    """Products that share a photo, directly or through others: keys as text, nearest pair first."""

    items: tuple[str, ...]
    pairs: tuple[DuplicatePair, ...]

    @property
    def similarity(self) -> float:
        """The cosine of the nearest pair."""
        return max((pair.similarity or 0.0 for pair in self.pairs), default=0.0)


def rows_of(space: SpaceDefinition) -> QuerySet[DuplicatePair]:
    """Return the pairs of a space, decided or not."""
    return DuplicatePair.objects.using(space.using).filter(space=space.label)


def clusters(space: SpaceDefinition) -> list[Cluster]:
    """Return what nobody has decided about yet, the most similar first."""
    open_ = list(rows_of(space).filter(decision=Decision.OPEN).order_by("-similarity", "id"))
    root: dict[str, str] = {}
    for pair in open_:
        root[_find(root, pair.second)] = _find(root, pair.first)
    grouped: dict[str, list[DuplicatePair]] = {}
    for pair in open_:
        grouped.setdefault(_find(root, pair.first), []).append(pair)
    return [_cluster(pairs) for pairs in grouped.values()]


def _find(root: dict[str, str], item: str) -> str:
    """Return the one that stands for all products connected with this one."""
    root.setdefault(item, item)
    while root[item] != item:
        root[item] = root[root[item]]
        item = root[item]
    return item


def _cluster(pairs: list[DuplicatePair]) -> Cluster:
    items = dict.fromkeys(key for pair in pairs for key in (pair.first, pair.second))
    return Cluster(tuple(items), tuple(pairs))


def decide(space: SpaceDefinition, items: Iterable[str], decision: str, *, by: str = "") -> int:
    """Keep what these products (keys as text) are to each other; return how many pairs that is.

    All pairs among them count as decided, also those that were not near enough to be found.

    Raises:
        ValueError: no decision, or fewer than two products that are there.
    """
    if decision not in set(Decision.values) - {""}:
        known = ", ".join(each for each in Decision.values if each)
        raise ValueError(f"{decision!r} is no decision. There are: {known}.")
    with transaction.atomic(using=space.using):
        products = _products(space, items)
        if len(products) < 2:
            raise ValueError("A decision is about two products or more that are there.")
        keys = sorted(str(space.item_key(each)) for each in products)
        made = _keep(space, keys, decision, by)
        duplicates_decided.send(
            sender=space.item_model,
            space=space.label,
            products=products,
            decision=decision,
            by=by,
        )
    return made


def reopen(space: SpaceDefinition, pks: Iterable[Any]) -> int:
    """Ask again about these pairs; return how many."""
    rows = rows_of(space).filter(pk__in=list(pks)).exclude(decision=Decision.OPEN)
    return rows.update(decision=Decision.OPEN, decided_by="", decided_at=None)


def _products(space: SpaceDefinition, items: Iterable[str]) -> list[Any]:
    key = space.item_model._meta.pk
    keys = [key.to_python(item) for item in dict.fromkeys(items)]
    rows = space.item_model._base_manager.using(space.using).filter(pk__in=keys)
    return list(rows.order_by("pk"))


def _keep(space: SpaceDefinition, keys: Sequence[str], decision: str, by: str) -> int:
    rows = [
        DuplicatePair(
            space=space.label,
            first=first,
            second=second,
            decision=decision,
            decided_by=by,
            decided_at=Now(),
        )
        for first, second in combinations(keys, 2)
    ]
    DuplicatePair.objects.using(space.using).bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["space", "first", "second"],
        update_fields=["decision", "decided_by", "decided_at"],
    )
    return len(rows)
