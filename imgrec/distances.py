"""Products ordered by their distance to one of them, in SQL that the HNSW index serves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import BooleanField, F, FloatField, Func, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.sql.where import AND, WhereNode
from pgvector.django import CosineDistance

from imgrec.pool import Search
from imgrec.seeds import is_known, names_of, of_seed, vector_of, version_of
from imgrec.spaces import SpaceDefinition
from imgrec.sql import Part, compose
from imgrec.visibility import item_path, may_be_result

ORDER = ("distance", "pk")

# An item is as near as the nearest of its photos is to any of the seed's.
_BEST_PAIR = """(
SELECT min(imgrec_photo.vector <=> seed.vector) FROM {photos}, unnest({seeds}) AS seed (vector)
WHERE imgrec_photo.version = {version} AND {item} = {key})"""
# IS TRUE: as a join it would lead the planner to believe that few items have a photo.
_HAS_PHOTO = """(EXISTS (
SELECT FROM {photos} WHERE imgrec_photo.version = {version} AND {item} = {key}) IS TRUE)"""


def ordered_by_distance(
    rows: QuerySet[Any], space: SpaceDefinition, key: Any, least: float
) -> QuerySet[Any]:
    """Order products by distance to one, itself and those without a vector left out.

    Annotates ``distance`` and ``similarity``. Of several photos the best pair counts, of at most
    eight of the seed's.
    """
    using, path = rows.db, item_path(space)
    vector = vector_of(space, key, using)
    of_item: dict[str, Any] = {**names_of(space, using), "version": version_of(space)}
    if space.item:
        distance: Any = _OfItem(F(path), statement=_BEST_PAIR, seeds=vector, **of_item)
        has_vector: Any = _IsSo(F(path), statement=_HAS_PHOTO, **of_item)
    else:
        distance = CosineDistance(f"{space.reverse}__vector", _raw(vector))
        has_vector = Q(**{f"{space.reverse}__version": _raw(of_item["version"])})
    known = _raw(is_known(space, key, using), BooleanField())
    ordered: QuerySet[Any] = (
        rows.filter(may_be_result(space), has_vector, known, ~Q(**{path: key}))
        .annotate(distance=distance, similarity=_Similarity(F("distance")))
        .order_by(*ORDER)
    )
    return ordered.filter(_IsNear(F("distance"), Value(1 - least))) if least > 0 else ordered


def without_floor(rows: QuerySet[Any]) -> tuple[QuerySet[Any], float | None]:
    """Return a slice of ordered products without the floor of its similarity, and that distance.

    An index scan does not know that nothing further away is wanted, and goes on for it. What is
    too far is the end of the slice.
    """
    found = rows.all()
    floors = [*_take_floors(found.query.where)]
    return (found, min(floors)) if floors else (rows, None)


def _take_floors(where: WhereNode) -> Iterator[float]:
    if where.connector != AND or where.negated:
        return
    for child in list(where.children):
        near = getattr(child, "lhs", child)  # filter() makes "… is true" of it
        if isinstance(near, _IsNear):
            where.children.remove(child)
            yield near.floor
        elif isinstance(child, WhereNode):
            yield from _take_floors(child)


def near_by_index(rows: QuerySet[Any], space: SpaceDefinition, key: Any) -> QuerySet[Any]:
    """Return a slice of ordered items in a form for the index: of those that it finds near.

    It may find fewer than there are.
    """
    low, high = rows.query.low_mark, int(rows.query.high_mark or 0)
    unsliced = rows.all()
    unsliced.query.clear_limits()
    # whether the product may be a seed is asked by the rows themselves
    seed = of_seed(space, key, rows.db)
    search = Search(space, lambda: seed, lambda: unsliced, rows.db)
    near = search.keys_by_index(high)
    found = unsliced.filter(_IsAmong(F(item_path(space)), _raw(near)))
    return found[low:high]


def _raw(part: Part, output_field: Any = None) -> RawSQL:
    return RawSQL(part.sql, part.params, output_field)  # noqa: S611 - its values are parameters


class _OfItem(Func):
    """What a statement says of an item, by its key."""

    output_field: Any = FloatField()

    def __init__(self, *key: Any, statement: str, **parts: Any) -> None:
        super().__init__(*key, statement=statement, **parts)

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        """Compile the key and put it into the statement."""
        sql, params = compiler.compile(self.source_expressions[0])
        parts = {name: part for name, part in self.extra.items() if name != "statement"}
        return tuple(compose(self.extra["statement"], key=Part(sql, tuple(params)), **parts))


class _IsSo(_OfItem):
    """The same, of what is true or false."""

    output_field = BooleanField()


class _Similarity(Func):
    """The cosine of a distance, clipped to 0..1."""

    template, output_field = "greatest(least(1.0 - %(expressions)s, 1.0), 0.0)", FloatField()


class _IsNear(Func):
    """``distance <= floor``."""

    template, arg_joiner, output_field = "(%(expressions)s)", " <= ", BooleanField()

    @property
    def floor(self) -> float:
        """The distance that is not too far."""
        value: Any = self.source_expressions[1]
        return float(value.value)


class _IsAmong(Func):
    """``key IN (statement)``."""

    template, arg_joiner, output_field = "%(expressions)s", " IN ", BooleanField()
