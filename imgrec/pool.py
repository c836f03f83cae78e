"""The candidates of a live search, found by one statement that chooses its way itself.

It counts the eligible products no further than it matters, and runs one of two branches: exact,
starting from the eligible rows, or the HNSW index, one scan for each photo of the seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import QuerySet
from pgvector import HalfVector

from imgrec.among import joins_many
from imgrec.conf import settings
from imgrec.models import Space
from imgrec.spaces import SpaceDefinition, spaces_of
from imgrec.sql import Part, compiled, compose, fetched
from imgrec.topk import Matrix
from imgrec.visibility import item_path, visible

# Photos of the seed that are searched by, the oldest first.
SEED_PHOTOS = 8
# Rows the index is asked for, for each one wanted: under filters what it finds late may be nearer.
OVERFETCH = 4


class Candidate(NamedTuple):
    """A product that may be a result; ``photo`` of it is the nearest to ``seed_photo``."""

    key: Any
    distance: float  # cosine distance, 0..2
    seed_photo: Any
    photo: Any
    source_name: str


@dataclass(frozen=True)
class Pool:
    """Candidates, nearest first, each product once; ``scanned``: photos the index gave."""

    way: str  # "exact", "hnsw"; "none": the seed is hidden, unknown or has no vector
    eligible: int
    served: str  # label of the space shoppers see
    candidates: list[Candidate] = field(default_factory=list)
    scanned: int = 0


_SEARCH = """
WITH imgrec_version AS MATERIALIZED (SELECT served_version FROM {spaces} WHERE label = {label}),
imgrec_seed AS MATERIALIZED ({seed}),
imgrec_counted AS MATERIALIZED (
    SELECT ({served}) AS served,
        CASE WHEN EXISTS (SELECT FROM imgrec_seed) THEN (SELECT count(*) FROM ({counted}) AS few) END
            AS eligible
),
imgrec_facts AS MATERIALIZED (
    SELECT *, CASE WHEN served = {label} THEN
        CASE WHEN eligible <= {exact_below} THEN 'exact' WHEN eligible IS NOT NULL THEN 'hnsw' END
        END AS way
    FROM imgrec_counted
)
SELECT facts.way, facts.eligible, facts.served, found.*
FROM imgrec_facts AS facts LEFT JOIN (({exact}) UNION ALL ({nearby})) AS found ON true
ORDER BY found.distance, found.key
"""
_EXACT = """
SELECT {once} {item} AS key, photo.vector <=> seed.vector AS distance, seed.photo AS seed_photo,
    photo.owner_id AS photo, photo.source_name, 0::bigint AS scanned
FROM imgrec_seed AS seed CROSS JOIN {photos}
WHERE (SELECT way FROM imgrec_facts) = 'exact' AND {eligible}
"""
_NEARBY = """
SELECT {once} near.*, count(*) OVER () AS scanned
FROM imgrec_seed AS seed CROSS JOIN LATERAL (
    SELECT {item} AS key, photo.vector <=> seed.vector AS distance, seed.photo AS seed_photo,
        photo.owner_id AS photo, photo.source_name
    FROM {photos}
    WHERE (SELECT way FROM imgrec_facts) = 'hnsw' AND {eligible}
    ORDER BY photo.vector <=> seed.vector LIMIT {most}
) AS near
"""
# + 0: PostgreSQL must not take what the index gives for sorted.
_NEAREST = """
SELECT * FROM ({branch} {by_item}) AS best ORDER BY best.distance + 0, best.key LIMIT {take}
"""
_ONCE, _NEAR_ONCE = "DISTINCT ON ({item})", "DISTINCT ON (near.key)"
_BY_ITEM = "ORDER BY key, distance, photo, seed_photo"  # for DISTINCT ON: its nearest pair
_ELIGIBLE = "photo.version = (SELECT served_version FROM imgrec_version) AND {item} IN ({rows})"
_OWN_PHOTOS = """
SELECT photo.owner_id AS photo, photo.vector FROM {photos}
WHERE {item} = {key} AND photo.version = (SELECT served_version FROM imgrec_version) AND EXISTS ({shown})
ORDER BY photo.owner_id LIMIT {most}
"""


@dataclass(frozen=True)
class Search:
    """A live search in one space, in the database ``using``."""

    space: SpaceDefinition
    seed: Part  # SELECT photo, vector
    rows: QuerySet[Any]  # the eligible products
    using: str
    is_given: bool = False  # the space, by the caller: then it need not be the one served

    def pool(self, take: int, *, exact: bool = False) -> Pool:
        """Return the nearest ``take`` candidates; ``exact``: whatever it costs. One statement."""
        found = fetched(self.statement(take, exact=exact), self.using)
        way, eligible, served = found[0][:3]
        of_key = _from_database(self.space)
        candidates = [
            Candidate(of_key(row[3]), *row[4:8]) for row in found if row[3] is not None
        ]
        scanned = found[0][8] or 0
        return Pool(way or "none", eligible or 0, served, candidates, scanned)

    def statement(self, take: int, *, exact: bool = False) -> Part:
        """Return that statement, to be run or explained."""
        names = names_of(self.space, self.using)
        eligible = compose(_ELIGIBLE, rows=self._keys(), **names)
        parts: dict[str, Any] = {**names, "eligible": eligible}
        folded = {"by_item": _BY_ITEM if self.space.item else "", "take": take}
        each, near = (_ONCE, _NEAR_ONCE) if self.space.item else ("", "")
        from_rows = compose(_EXACT, once=compose(each, **names), **parts)
        from_index = compose(_NEARBY, once=near, most=take * OVERFETCH, **parts)
        few = settings.exact_below
        counted = compose("{rows} LIMIT {most}", rows=self._counted(), most=few + 1)
        return compose(
            _SEARCH,
            spaces=Space._meta.db_table,
            label=Part("%s", (self.space.label,)),
            seed=self.seed,
            served=self._served(),
            counted=Part("SELECT WHERE false") if exact else counted,
            exact_below=few,
            exact=compose(_NEAREST, branch=from_rows, **folded),
            nearby=compose(_NEAREST, branch=from_index, **folded),
        )

    def _keys(self) -> Part:
        """Return the keys of the eligible products, some of them twice if that is simpler."""
        rows = self.rows.order_by().values(item_path(self.space))
        rows.query.distinct = False
        if rows.query.group_by is True and not rows.query.where.contains_aggregate:
            rows.query.group_by = None
        names = names_of(self.space, self.using)
        nothing = compose("SELECT {item} FROM {photos} WHERE false", **names)
        return compiled(rows, self.using) or nothing

    def _counted(self) -> Part:
        if not joins_many(self.rows):
            return self._keys()
        once = self.rows.order_by().values(item_path(self.space)).distinct()
        return compiled(once, self.using) or self._keys()

    def _served(self) -> Part:
        labels = [each.label for each in spaces_of(self.space.item_model)]
        if self.is_given or len(labels) == 1:
            return Part("%s", (self.space.label,))
        table = Space._meta.db_table
        shown = f"SELECT label FROM {table} WHERE is_served AND label = ANY(%s)"  # noqa: S608
        return Part(f"coalesce(({shown}), %s)", (labels, labels[0]))


def of_seed(space: SpaceDefinition, key: Any, using: str, *, hidden_too: bool = False) -> Part:
    """Return a product's own photos as a seed: none when it may not be seen."""
    names = names_of(space, using)
    items: QuerySet[Any] = space.item_model._base_manager.all()
    shown = (items if hidden_too else visible(space, items)).filter(pk=key).values("pk")
    nothing = Part("SELECT WHERE false")
    prepared = _key_field(space).get_db_prep_value(key, connections[using])
    return compose(
        _OWN_PHOTOS,
        key=Part("%s", (prepared,)),
        shown=compiled(shown, using) or nothing,
        most=SEED_PHOTOS,
        **names,
    )


def of_vector(vector: Matrix) -> Part:
    """Return a vector (dimensions,) as a seed."""
    text = HalfVector(vector).to_text()
    return Part("SELECT NULL::bigint AS photo, %s::halfvec AS vector", (text,))


def names_of(space: SpaceDefinition, using: str) -> dict[str, Part]:
    """Return the ``{item}`` key of a photo and the ``{photos}`` to search, as SQL."""
    quote = connections[using].ops.quote_name
    vectors = f"{quote(space.embedding_model._meta.db_table)} AS photo"
    if not space.item:
        return {"item": Part("photo.owner_id"), "photos": Part(vectors)}
    owners = space.item_field.model._meta  # a parent of the space's model may hold the key
    on = f"owner.{quote(owners.pk.column)} = photo.owner_id"
    return {
        "item": Part(f"owner.{quote(space.item_field.column)}"),
        "photos": Part(f"({vectors} JOIN {quote(owners.db_table)} AS owner ON {on})"),
    }


def _key_field(space: SpaceDefinition) -> Any:
    return space.list_model._meta.get_field("neighbours").base_field


def _from_database(space: SpaceDefinition) -> Any:
    """Return what makes a key of what the driver gives."""
    convert = getattr(_key_field(space), "from_db_value", None)
    return (lambda value: convert(value, None, None)) if convert else (lambda value: value)
