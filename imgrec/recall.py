"""How much of the truth live search and stored lists give, on the shop's own vectors.

Recall@k is the share of the truly nearest k that is found. It depends on the vectors, on the
filters and on ``hnsw.ef_search``, and only measuring tells: rows come back either way.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean, quantiles, stdev
from typing import Any

from django.db import connections, transaction
from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import MD5, Cast, Concat, Now

from imgrec import live, truth
from imgrec.among import candidates
from imgrec.guest import reading
from imgrec.models import Space
from imgrec.pool import Search
from imgrec.results import SimilarProducts
from imgrec.search_settings import pool_settings
from imgrec.seeds import SEED_PHOTOS, of_seed
from imgrec.spaces import SpaceDefinition
from imgrec.truth import Nearest
from imgrec.visibility import item_path, recommendable, visible
from imgrec.wishes import Wish

# What pgvector takes as hnsw.ef_search.
LEAST_EF, MOST_EF = 1, 1000
# Nothing lower is chosen than pgvector's own default: it saves no time worth a surprise under a
# filter that was not measured.
LEAST_CHOSEN = 40

Watch = Callable[[], object]


@dataclass(frozen=True)
class Measured:
    """Live search with one ``ef_search``. Times are of the statements, in milliseconds."""

    ef_search: int
    recall: float  # the mean, 0..1
    margin: float  # the recall of all products is within this of it, at 95 %
    worst: float
    short: int  # searches that gave fewer than there are
    ways: dict[str, int]
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Lists:
    """Stored lists: of the nearest k, and of as many as a list promises, 0..1."""

    lists: int
    missing: int  # products that have a vector and no list
    k: int
    recall: float
    length: int
    recall_whole: float


class Trial:
    """A space, some of its products as seeds, and what a filter leaves of it."""

    def __init__(
        self,
        space: SpaceDefinition,
        among: QuerySet[Any] | None = None,
        *,
        keys: Sequence[Any],
        k: int = 10,
    ) -> None:
        self.space = space
        self.keys = list(keys)
        self.k = k
        self.rows = recommendable(space, candidates(space, among)).using(space.using)
        found = self.rows.order_by().values_list(item_path(space), flat=True)
        eligible = set(found.iterator(10_000))
        with transaction.atomic(using=space.using):
            self.truth = truth.nearest(
                space, served_version(space), keys, k, among=eligible, photos=SEED_PHOTOS
            )
        self.eligible = len(eligible)

    def measure(self, ef_search: int, watch: Watch = lambda: None) -> Measured:
        """Search for every seed once, and compare; ``watch`` is called after each."""
        shares, seconds, short = [], [], 0
        ways: Counter[str] = Counter()
        with self._set_up(ef_search):
            self._find(self.keys[0])  # the first one fills caches
            for key in self.keys:
                began = time.perf_counter()
                found = self._find(key)
                seconds.append(time.perf_counter() - began)
                expected = self.truth.get(key, Nearest([], []))
                pairs = [(self.space.item_key(p), p.similarity) for p in found]
                shares.append(expected.share(pairs, self.k))
                short += len(found) < len(expected.items)
                ways[found.way] += 1
                watch()
        return _measured(ef_search, shares, seconds, short, ways)

    def plan(self, ef_search: int) -> str:
        """Return how PostgreSQL runs the search of the first seed: EXPLAIN (ANALYZE)."""
        statement = self._search(self.keys[0]).statement(self.k)
        explain = "EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) "
        with self._set_up(ef_search), connections[self.space.using].cursor() as cursor:
            cursor.execute(explain + statement.sql, statement.params)
            return "\n".join(line for (line,) in cursor.fetchall())

    def _find(self, key: Any) -> SimilarProducts:
        return live.find(self._search(key), Wish(self.k, -1.0))

    def _search(self, key: Any) -> Search:
        using = self.space.using
        seed = of_seed(self.space, key, using)
        rows = self.rows.exclude(**{item_path(self.space): key})
        return Search(self.space, lambda: seed, lambda: rows, using, is_given=True)

    @contextmanager
    def _set_up(self, ef_search: int) -> Iterator[None]:
        """Search inside a transaction, under the settings of a page's live search."""
        using = self.space.using
        values = pool_settings(self.space) | {"hnsw__ef_search": ef_search}
        values.pop("statement_timeout", None)  # a slow search is a finding, not an error
        with transaction.atomic(using=using), reading(using, **values):
            yield


def _measured(
    ef_search: int, shares: list[float], seconds: list[float], short: int, ways: Counter[str]
) -> Measured:
    cuts = quantiles(seconds, n=20, method="inclusive") if len(seconds) > 1 else seconds * 19
    spread = stdev(shares) if len(shares) > 1 else 0.0
    return Measured(
        ef_search=ef_search,
        recall=fmean(shares),
        margin=1.96 * spread / math.sqrt(len(shares)),
        worst=min(shares),
        short=short,
        ways=dict(ways),
        p50_ms=1000 * cuts[9],
        p95_ms=1000 * cuts[18],
    )


def seeds(space: SpaceDefinition, count: int | None, *, seed: int = 0) -> list[Any]:
    """Return the keys of so many products that may be seen and have a vector, drawn by chance.

    None: of all of them.

    The same ones for the same ``seed``, for as long as the products are the same.
    """
    stored = space.embedding_model.objects.filter(version=served_version(space))
    rows = visible(space, space.item_model._base_manager.using(space.using))
    rows = rows.filter(**{f"{item_path(space)}__in": stored.values(space.item_column)})
    drawn = MD5(Concat(Cast("pk", TextField()), Value(f" {seed}")))
    return list(rows.order_by(drawn).values_list(item_path(space), flat=True)[:count])


def served_version(space: SpaceDefinition) -> str:
    """Return the version whose vectors are searched, ``""`` when there is none yet."""
    rows = Space.objects.using(space.using).filter(label=space.label)
    return rows.values_list("served_version", flat=True).first() or ""


def smallest_ef(
    trials: Iterable[Trial], target: float, *, watch: Watch = lambda: None
) -> Measured | None:
    """Return the least recall with the smallest ``ef_search`` that reaches a target in all trials.

    At least 40. Trials whose searches are exact by themselves have no say. None: not even the
    largest does.

    Raises:
        ValueError: no search goes by the index.
    """
    asked = [trial for trial in trials if "hnsw" in trial.measure(MOST_EF).ways]
    if not asked:
        raise ValueError("every search is exact: there is no ef_search to choose")

    def least(ef_search: int) -> Measured:
        return min((t.measure(ef_search, watch) for t in asked), key=lambda each: each.recall)

    found, low, high = least(MOST_EF), LEAST_CHOSEN, MOST_EF
    if found.recall < target:
        return None
    while low < high:
        middle = (low + high) // 2
        measured = least(middle)
        if measured.recall >= target:
            found, high = measured, middle
        else:
            low = middle + 1
    return found


def save(space: SpaceDefinition, chosen: Measured) -> None:
    """Have live searches of the space use this ``ef_search`` from now on."""
    Space.objects.using(space.using).filter(label=space.label).update(
        ef_search=chosen.ef_search, recall=chosen.recall, recall_measured_at=Now()
    )


def of_lists(space: SpaceDefinition, keys: Collection[Any], length: int, k: int = 10) -> Lists:
    """Compare the stored lists of these products with the truth."""
    version = served_version(space)
    with transaction.atomic(using=space.using):
        exact = truth.nearest(space, version, keys, max(k, length))
        rows = space.list_model.objects.using(space.using).filter(owner__in=list(keys))
        stored = {
            owner: list(zip(ids, similarities, strict=True))
            for owner, ids, similarities in rows.values_list("owner", "neighbours", "similarities")
        }
    pairs = [(nearest, stored.get(key, [])) for key, nearest in exact.items()]
    return Lists(
        lists=len(stored),
        missing=len(exact.keys() - stored.keys()),
        k=k,
        recall=fmean(nearest.share(found[:k], k) for nearest, found in pairs),
        length=length,
        recall_whole=fmean(nearest.share(found[:length], length) for nearest, found in pairs),
    )
