"""The candidates of a live search, found by one statement that chooses its way itself.

It counts the eligible products no further than it matters, and runs one of two branches: exact,
starting from the eligible rows, or the HNSW index, one scan for each photo of the seed. Where there
were many lately it goes by the index without counting.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from django.db.models import QuerySet

from imgrec import pool_sql
from imgrec.among import joins_many, keys_of
from imgrec.conf import settings
from imgrec.crowds import forget_crowd, is_crowd, note_crowd
from imgrec.paths import group_of
from imgrec.remembered import part
from imgrec.seeds import key_field, names_of, of_key, served_now, version_of
from imgrec.spaces import SpaceDefinition, spaces_of
from imgrec.sql import Part, compiled, compose, fetched
from imgrec.visibility import item_path

# Rows the index is asked for, for each one wanted: under filters what it finds late may be nearer.
OVERFETCH = 4


class Candidate(NamedTuple):
    """A product that may be a result; ``photo`` of it is the nearest to ``seed_photo``."""

    key: Any
    distance: float  # cosine distance, 0..2
    seed_photo: Any
    photo: Any
    source_name: str
    group: Any = None
    vector: bytes | None = None  # as halfvec_send gives it
    variants: Sequence[str] | None = None  # keys as text


@dataclass(frozen=True)
class Pool:
    """Candidates, nearest first, each product once; ``scanned``: photos the index gave."""

    way: str  # "exact", "hnsw"; "none": the seed is hidden, unknown or has no vector
    eligible: int
    served: str  # label of the space shoppers see
    candidates: list[Candidate] = field(default_factory=list)
    scanned: int = 0


@dataclass(frozen=True)
class Like:
    """What the statements of searches that differ by a product only are remembered by."""

    name: Hashable
    key: Any  # the product's, as prepared for the database
    shown: Callable[[], QuerySet[Any]]  # what may be shown beside any product


@dataclass(frozen=True)
class Search:
    """A live search in one space, in the database ``using``."""

    space: SpaceDefinition
    seed: Callable[[], Part]  # SELECT photo, vector
    rows: Callable[[], QuerySet[Any]]  # the eligible products
    using: str
    is_given: bool = False  # the space, by the caller: then it need not be the one served
    group_by: str | None = None  # path to what each candidate is to tell, from the item
    with_vectors: bool = False  # each candidate is to bring its vector
    with_variants: bool = False  # and which products were decided to be variants of it
    like: Like | None = None

    def pool(self, take: int, *, exact: bool = False) -> Pool:
        """Return the nearest ``take`` candidates; ``exact``: whatever it costs.

        One statement; a second one only where many were eligible lately and few are now.
        """
        crowd = None if exact or self.like is None else self._name("crowd")
        if crowd is not None and is_crowd(crowd):
            pool = self._pool(self._remembered("crowd", take, self.statement_by_index))
            if pool.way != "hnsw" or self.gives_more(pool, take):
                return pool
            forget_crowd(crowd)
        pool = self._pool(
            self._remembered(f"pool {exact}", take, partial(self.statement, exact=exact))
        )
        if crowd is not None and pool.way == "hnsw" and self.gives_more(pool, take):
            note_crowd(crowd)
        return pool

    def gives_more(self, pool: Pool, take: int) -> bool:
        """Return whether the index has given all it was asked for, and so may have more."""
        several_photos = bool(self.space.item) and pool.scanned >= take * OVERFETCH
        return len(pool.candidates) >= take or several_photos

    def _pool(self, statement: Part) -> Pool:
        found = fetched(statement, self.using)
        way, eligible, served = found[0][:3]
        of_key = _from_database(self.space)
        rows = [row[3:] for row in found if row[3] is not None]
        candidates = [Candidate(of_key(row[0]), *row[1:5], *row[6:]) for row in rows]
        scanned = found[0][8] or 0
        return Pool(way or "none", eligible or 0, served, candidates, scanned)

    def _remembered(self, which: str, take: int, put_together: Callable[[int], Part]) -> Part:
        if self.like is None:
            return put_together(take)
        return part(self._name(which, take), self.like.key, lambda: put_together(take))

    def _name(self, *more: Hashable) -> Hashable:
        name = self.like and self.like.name
        brings = (self.with_vectors, self.with_variants)
        return (name, *more, self.is_given, *brings, settings.exact_below)

    def statement(self, take: int, *, exact: bool = False) -> Part:
        """Return that statement, to be run or explained."""
        names: dict[str, Any] = names_of(self.space, self.using)
        rows, once = self._keys()
        if exact:
            few = compose("SELECT {item} FROM {photos} WHERE false", **names)
            from_rows = compose(pool_sql.EXACT, eligible=self._eligible(rows), **names)
        else:
            few = compose("{rows} LIMIT {most}", rows=once, most=settings.exact_below + 1)
            from_rows = compose(pool_sql.EXACT_OF_FEW, served=version_of(self.space), **names)
        nearby = self._by_index(rows, take)
        found = compose(pool_sql.EITHER, exact=self._nearest(from_rows, take), nearby=nearby)
        return self._search(compose(pool_sql.FEW, few=few), Part(pool_sql.COUNTED), found)

    def statement_by_index(self, take: int) -> Part:
        """Return one for many eligible products, which does not count them."""
        many = compose("{most}", most=settings.exact_below + 1)
        return self._search(Part(""), many, self._by_index(self._keys()[0], take))

    def _search(self, few: Part, eligible: Part, found: Part) -> Part:
        return compose(
            pool_sql.SEARCH,
            label=Part("%s", (self.space.label,)),
            seed=self.seed(),
            served=served_now(self.space, is_given=self.is_given),
            few=few,
            eligible=eligible,
            exact_below=settings.exact_below,
            found=found,
            columns=f"{'told.value' if self.group_by else 'NULL'}, "
            f"{'halfvec_send(own.vector)' if self.with_vectors else 'NULL'}, "
            f"{'variants.keys' if self.with_variants else 'NULL'}",
            joins=self._joins(),
        )

    def _by_index(self, rows: Part, take: int) -> Part:
        gated = compose(pool_sql.BY_INDEX + "{eligible}", eligible=self._eligible(rows))
        names = names_of(self.space, self.using)
        branch = compose(pool_sql.NEARBY, eligible=gated, most=take * OVERFETCH, **names)
        return self._nearest(branch, take)

    def _eligible(self, rows: Part) -> Part:
        names = names_of(self.space, self.using)
        return compose(pool_sql.ELIGIBLE, rows=rows, served=version_of(self.space), **names)

    def _joins(self) -> Part:
        """Join what candidates are to tell, once they are few."""
        joins = []
        if self.group_by:
            model = self.space.item_model
            items = model._base_manager.order_by()
            told = compiled(items.values_list("pk", group_of(model, self.group_by)), self.using)
            if told:
                joins.append(compose(pool_sql.GROUPS, told=told))
        if self.with_vectors:
            vectors = names_of(self.space, self.using)["vectors"]
            joins.append(compose(pool_sql.VECTORS, vectors=vectors))
        if self.with_variants:
            # whichever of the products' fields they were found by
            labels = [each.label for each in spaces_of(self.space.item_model)]
            joins.append(compose(pool_sql.VARIANTS, labels=Part("%s", (labels,))))
        return Part(
            " ".join(each.sql for each in joins), tuple(p for each in joins for p in each.params)
        )

    def keys_by_index(self, take: int) -> Part:
        """Return a statement that gives the keys of products near the seed, some of them twice."""
        names: dict[str, Any] = names_of(self.space, self.using)
        eligible = self._eligible(self._keys()[0])
        pairs = compose(pool_sql.NEARBY, eligible=eligible, most=take * OVERFETCH, **names)
        return compose(pool_sql.KEYS_BY_INDEX, seed=self.seed(), pairs=pairs)

    def nearer(self, candidate: Candidate) -> int:
        """Return how many eligible products come before one, whatever it costs to count them."""
        names: dict[str, Any] = names_of(self.space, self.using)
        pairs = compose(pool_sql.EXACT, eligible=self._eligible(self._keys()[0]), **names)
        statement = compose(
            pool_sql.NEARER,
            seed=self.seed(),
            pairs=compose(pool_sql.BEST_PAIRS, pairs=pairs) if self.space.item else pairs,
            distance=Part("%s", (candidate.distance,)),
            key=of_key(self.space, candidate.key, self.using),
        )
        return int(fetched(statement, self.using)[0][0])

    def _nearest(self, branch: Part, take: int) -> Part:
        pairs = compose(pool_sql.BEST_PAIRS, pairs=branch) if self.space.item else branch
        return compose(pool_sql.NEAREST, pairs=pairs, take=take)

    def _keys(self) -> tuple[Part, Part]:
        """Return the keys of the eligible products, some of them twice, and each once."""
        names = names_of(self.space, self.using)
        nothing = compose("SELECT {item} FROM {photos} WHERE false", **names)
        rows = keys_of(self.rows(), item_path(self.space))
        keys = compiled(rows, self.using) or nothing
        if not joins_many(rows):
            return keys, keys
        return keys, compiled(rows.distinct(), self.using) or nothing


def _from_database(space: SpaceDefinition) -> Any:
    """Return what makes a key of what the driver gives."""
    convert = getattr(key_field(space), "from_db_value", None)
    return (lambda value: convert(value, None, None)) if convert else (lambda value: value)
