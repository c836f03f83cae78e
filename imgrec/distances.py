"""Products ordered by their distance to one of them, in SQL that the HNSW index serves."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Exists, F, FloatField, Func, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from pgvector.django import CosineDistance

from imgrec.pool import Search
from imgrec.seeds import names_of, of_seed, vectors_of, version_of
from imgrec.spaces import SpaceDefinition
from imgrec.sql import Part, compose
from imgrec.visibility import item_path, may_be_result

# An item is as near as the nearest of its photos is to any of the seed's.
_OF_BEST_PAIR = """(
SELECT min(least({distances})) FROM {photos}
WHERE imgrec_photo.version = {version} AND {item} = {key})"""


def ordered_by_distance(
    rows: QuerySet[Any], space: SpaceDefinition, key: Any, least: float
) -> QuerySet[Any]:
    """Order products by distance to one, itself and those without a vector left out.

    Annotates ``distance`` and ``similarity``. Of several photos the best pair counts, of at most
    eight of the seed's.
    """
    vectors = vectors_of(space, key, rows.db)
    distance = _of_best_pair(space, vectors, rows.db) if space.item else _of_photo(space, vectors)
    ordered: QuerySet[Any] = (
        rows.filter(may_be_result(space), _has_vector(space), _is_known(vectors), ~_is(space, key))
        .annotate(distance=distance, similarity=_Similarity(distance))
        .order_by("distance", "pk")
    )
    return ordered.filter(distance__lte=1 - least) if least > 0 else ordered


def near_by_index(rows: QuerySet[Any], space: SpaceDefinition, key: Any) -> QuerySet[Any]:
    """Return a slice of ordered items in a form for the index: of those that it finds near.

    It may find fewer than there are.
    """
    low, high = rows.query.low_mark, int(rows.query.high_mark or 0)
    unsliced = rows.all()
    unsliced.query.clear_limits()
    search = Search(space, of_seed(space, key, rows.db), unsliced, rows.db)
    near = search.keys_by_index(high)
    found = unsliced.filter(_IsAmong(F(item_path(space)), _raw(near)))
    return found[low:high]


def _of_photo(space: SpaceDefinition, vectors: list[Part]) -> Any:
    return CosineDistance(f"{space.reverse}__vector", _raw(vectors[0]))


def _of_best_pair(space: SpaceDefinition, vectors: list[Part], using: str) -> Any:
    each = [compose("imgrec_photo.vector <=> {vector}", vector=vector) for vector in vectors]
    distances = Part(
        ", ".join(part.sql for part in each), tuple(p for part in each for p in part.params)
    )
    parts: dict[str, Any] = {**names_of(space, using), "version": version_of(space)}
    return _BestPair(F(item_path(space)), distances=distances, **parts)


def _has_vector(space: SpaceDefinition) -> Any:
    version = _raw(version_of(space))
    if not space.item:
        return Q(**{f"{space.reverse}__isnull": False, f"{space.reverse}__version": version})
    of_item = {space.item_column: OuterRef(item_path(space))}
    return Exists(space.embedding_model.objects.filter(version=version, **of_item))


def _is_known(vectors: list[Part]) -> Any:
    return _IsKnown(_raw(vectors[0]))


def _is(space: SpaceDefinition, key: Any) -> Q:
    return Q(**{item_path(space): key})


def _raw(part: Part) -> RawSQL:
    return RawSQL(part.sql, part.params)  # noqa: S611 - its values are parameters


class _BestPair(Func):
    """The distance of an item, by its key, given the rest of the statement as parts."""

    output_field = FloatField()

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        """Compile the key and put it into the subquery."""
        sql, params = compiler.compile(self.source_expressions[0])
        return tuple(compose(_OF_BEST_PAIR, key=Part(sql, tuple(params)), **self.extra))


class _Similarity(Func):
    """The cosine of a distance, clipped to 0..1."""

    template, output_field = "greatest(least(1.0 - %(expressions)s, 1.0), 0.0)", FloatField()


class _IsKnown(Func):
    """Whether there is a vector to search by."""

    template, output_field = "(%(expressions)s IS NOT NULL)", BooleanField()


class _IsAmong(Func):
    """``key IN (statement)``."""

    template, arg_joiner, output_field = "%(expressions)s", " IN ", BooleanField()
