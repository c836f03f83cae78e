"""The candidates of a live search, found by one statement that chooses its way itself.

It counts the eligible products no further than it matters, and runs one of two branches: exact,
starting from the eligible rows, or the HNSW index, one scan for each photo of the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import QuerySet

from imgrec.among import joins_many, keys_of
from imgrec.conf import settings
from imgrec.remembered import part
from imgrec.seeds import key_field, names_of, served_now, version_of
from imgrec.spaces import SpaceDefinition
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


@dataclass(frozen=True)
class Pool:
    """Candidates, nearest first, each product once; ``scanned``: photos the index gave."""

    way: str  # "exact", "hnsw"; "none": the seed is hidden, unknown or has no vector
    eligible: int
    served: str  # label of the space shoppers see
    candidates: list[Candidate] = field(default_factory=list)
    scanned: int = 0


_SEARCH = """
WITH imgrec_seed AS MATERIALIZED ({seed}),
imgrec_few (keys) AS MATERIALIZED (SELECT ARRAY({few})),
imgrec_counted AS MATERIALIZED (
    SELECT ({served}) AS served, CASE WHEN EXISTS (SELECT FROM imgrec_seed) THEN
        (SELECT cardinality(keys) FROM imgrec_few) END AS eligible
),
imgrec_facts AS MATERIALIZED (
    SELECT *, CASE WHEN served = {label} THEN
        CASE WHEN eligible <= {exact_below} THEN 'exact' WHEN eligible IS NOT NULL THEN 'hnsw' END
        END AS way
    FROM imgrec_counted
)
SELECT facts.way, facts.eligible, facts.served, found.*, {columns}
FROM imgrec_facts AS facts LEFT JOIN (({exact}) UNION ALL ({nearby})) AS found ON true {joins}
ORDER BY found.distance, found.key
"""
_EXACT = """
SELECT {item} AS key, imgrec_photo.vector <=> seed.vector AS distance, seed.photo AS seed_photo,
    imgrec_photo.owner_id AS photo, imgrec_photo.source_name, 0::bigint AS scanned
FROM imgrec_seed AS seed CROSS JOIN {photos}
WHERE (SELECT way FROM imgrec_facts) = 'exact' AND {eligible}
"""
# OFFSET 0: from the eligible rows on, by their keys, however tempting the whole table looks.
_EXACT_OF_FEW = """
SELECT one.key, one.vector <=> seed.vector AS distance, seed.photo AS seed_photo,
    one.photo, one.source_name, 0::bigint AS scanned
FROM imgrec_seed AS seed CROSS JOIN unnest((SELECT keys FROM imgrec_few)) AS chosen (key)
CROSS JOIN LATERAL (
    SELECT {item} AS key, imgrec_photo.vector, imgrec_photo.owner_id AS photo,
        imgrec_photo.source_name
    FROM {photos}
    WHERE {item} = chosen.key AND imgrec_photo.version = {served} OFFSET 0
) AS one
WHERE (SELECT way FROM imgrec_facts) = 'exact'
"""
_NEARBY = """
SELECT near.*, count(*) OVER () AS scanned
FROM imgrec_seed AS seed CROSS JOIN LATERAL (
    SELECT {item} AS key, imgrec_photo.vector <=> seed.vector AS distance, seed.photo AS seed_photo,
        imgrec_photo.owner_id AS photo, imgrec_photo.source_name
    FROM {photos}
    WHERE {eligible}
    ORDER BY imgrec_photo.vector <=> seed.vector LIMIT {most}
) AS near
"""
# + 0: PostgreSQL must not take what the index gives for sorted.
_NEAREST = """
SELECT * FROM ({pairs}) AS best ORDER BY best.distance + 0, best.key LIMIT {take}
"""
_BEST_PAIRS = """
SELECT DISTINCT ON (key) * FROM ({pairs}) AS pair ORDER BY key, distance, photo, seed_photo
"""
_GROUPS = "LEFT JOIN ({told}) AS told (key, value) ON told.key = found.key"
_VECTORS = "LEFT JOIN {vectors} AS own ON own.owner_id = found.photo"
_ELIGIBLE = "imgrec_photo.version = {served} AND {item} IN ({rows})"
_BY_INDEX = "(SELECT way FROM imgrec_facts) = 'hnsw' AND "
_KEYS_BY_INDEX = """
WITH imgrec_seed AS MATERIALIZED ({seed})
SELECT pair.key FROM ({pairs}) AS pair
"""


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
    like: Like | None = None

    def pool(self, take: int, *, exact: bool = False) -> Pool:
        """Return the nearest ``take`` candidates; ``exact``: whatever it costs. One statement."""
        found = fetched(self._remembered(take, exact=exact), self.using)
        way, eligible, served = found[0][:3]
        of_key = _from_database(self.space)
        rows = [row[3:] for row in found if row[3] is not None]
        candidates = [Candidate(of_key(row[0]), *row[1:5], *row[6:]) for row in rows]
        scanned = found[0][8] or 0
        return Pool(way or "none", eligible or 0, served, candidates, scanned)

    def _remembered(self, take: int, *, exact: bool) -> Part:
        if self.like is None:
            return self.statement(take, exact=exact)
        options = (self.is_given, self.with_vectors, settings.exact_below)
        name = (self.like.name, "pool", take, exact, options)
        return part(name, self.like.key, lambda: self.statement(take, exact=exact))

    def statement(self, take: int, *, exact: bool = False) -> Part:
        """Return that statement, to be run or explained."""
        names: dict[str, Any] = names_of(self.space, self.using)
        (rows, once), few = self._keys(), settings.exact_below
        served = version_of(self.space)
        eligible = compose(_ELIGIBLE, rows=rows, served=served, **names)
        from_rows = compose(_EXACT, eligible=eligible, **names)
        if not exact:
            from_rows = compose(_EXACT_OF_FEW, served=served, **names)
        gated = compose(_BY_INDEX + "{eligible}", eligible=eligible)
        from_index = compose(_NEARBY, eligible=gated, most=take * OVERFETCH, **names)
        nothing = compose("SELECT {item} FROM {photos} WHERE false", **names)
        counted = compose("{rows} LIMIT {most}", rows=once, most=few + 1)
        return compose(
            _SEARCH,
            label=Part("%s", (self.space.label,)),
            seed=self.seed(),
            served=served_now(self.space, is_given=self.is_given),
            few=nothing if exact else counted,
            exact_below=few,
            exact=self._nearest(from_rows, take),
            nearby=self._nearest(from_index, take),
            columns=f"{'told.value' if self.group_by else 'NULL'}, "
            f"{'halfvec_send(own.vector)' if self.with_vectors else 'NULL'}",
            joins=self._joins(),
        )

    def _joins(self) -> Part:
        """Join what candidates are to tell, once they are few."""
        joins = []
        if self.group_by:
            items = self.space.item_model._base_manager.order_by()
            told = compiled(items.values_list("pk", self.group_by), self.using)
            if told:
                joins.append(compose(_GROUPS, told=told))
        if self.with_vectors:
            vectors = names_of(self.space, self.using)["vectors"]
            joins.append(compose(_VECTORS, vectors=vectors))
        return Part(
            " ".join(each.sql for each in joins), tuple(p for each in joins for p in each.params)
        )

    def keys_by_index(self, take: int) -> Part:
        """Return a statement that gives the keys of products near the seed, some of them twice."""
        names: dict[str, Any] = names_of(self.space, self.using)
        served = version_of(self.space)
        eligible = compose(_ELIGIBLE, rows=self._keys()[0], served=served, **names)
        return compose(
            _KEYS_BY_INDEX,
            seed=self.seed(),
            pairs=compose(_NEARBY, eligible=eligible, most=take * OVERFETCH, **names),
        )

    def _nearest(self, branch: Part, take: int) -> Part:
        pairs = compose(_BEST_PAIRS, pairs=branch) if self.space.item else branch
        return compose(_NEAREST, pairs=pairs, take=take)

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
