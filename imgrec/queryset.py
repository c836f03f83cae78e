"""``SimilarityQuerySet``: similar products as plain SQL that composes with the shop's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self, cast

from django.db import models
from django.db.models import (
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    Min,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Greatest, Least
from pgvector.django import CosineDistance

from imgrec.conf import settings
from imgrec.guest import with_settings
from imgrec.search_settings import search_settings
from imgrec.served import served_space, served_version
from imgrec.spaces import SpaceDefinition
from imgrec.visibility import item_path, recommendable, visible


class SimilarityQuerySet(QuerySet[Any]):
    """A queryset of products that can be ordered by visual similarity to one of them."""

    _imgrec_space: SpaceDefinition | None = None  # where similar_to() searches

    def similar_to(
        self,
        seed: models.Model,
        *,
        min_similarity: float | None = None,
        space: SpaceDefinition | None = None,
    ) -> Self:
        """Return the products similar to ``seed``, nearest first, without ``seed`` itself.

        Annotates ``distance`` (cosine distance, 0..2) and ``similarity`` (the cosine, clipped
        to 0..1). Filters, annotations, slices and ``values()`` compose. A seed that is hidden
        or has no vector gives an empty queryset. For many rows the HNSW index answers: nearly
        exact; :func:`imgrec.similar_products` is the call that never comes up short.

        A seed of another model is a ValueError.

        Not supported, each with a ValueError that names the way out: after slicing, on or in a
        union, ``reverse()`` and ``last()``, ``select_for_update()``, ``update()``, ``delete()``.
        """
        if self.query.is_sliced:
            raise ValueError("similar_to() after slicing: call it first, then slice its result.")
        if self.query.combinator:
            raise ValueError("similar_to() on a union: call it on each part before the union.")
        chosen = space or served_space(self.model)
        key = seed_key(chosen, seed)
        vector = seed_vector(chosen, seed)
        found = nearest(recommendable(chosen, self), chosen, vector)
        found = found.exclude(**{item_path(chosen): key})
        least = settings.min_similarity if min_similarity is None else min_similarity
        if least > 0:
            found = found.filter(distance__lte=1 - least)
        shown = visible(chosen, _items(chosen)).filter(pk=key)
        found = found.filter(Exists(shown), Exists(_seed_rows(chosen, seed)))
        live = cast(Self, found)
        live._imgrec_space = chosen
        return live

    def _clone(self) -> Self:
        clone = super()._clone()  # type: ignore[misc]
        clone._imgrec_space = self._imgrec_space
        return clone  # type: ignore[no-any-return]

    def _fetch_all(self) -> None:
        """Evaluate under our search settings, so that filters do not starve the index scan."""
        if self._imgrec_space and self._result_cache is None:
            with with_settings(self.db, **search_settings(self._imgrec_space)):
                super()._fetch_all()
        else:
            super()._fetch_all()

    def iterator(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Read at once: rows that trickle in later would be found without our settings."""
        if self._imgrec_space:
            return iter(self.all())
        return super().iterator(*args, **kwargs)

    def _combinator_query(self, combinator: str, *other_qs: Any, all: bool = False) -> Self:
        """Refuse unions: they would drop the order, and with it what is most similar."""
        if any(getattr(each, "_imgrec_space", None) for each in (self, *other_qs)):
            raise ValueError(f"{combinator}() of similar_to(): join the lists once they are read.")
        combined = super()._combinator_query(combinator, *other_qs, all=all)  # type: ignore[misc]
        return cast(Self, combined)

    def reverse(self) -> Self:
        """Refuse on a similarity order: the index only runs from the nearest on."""
        if self._imgrec_space:
            raise ValueError("reverse() of similar_to(): reverse the list once it is read.")
        return super().reverse()

    def delete(self) -> Any:
        """Refuse on a similarity order, where it would delete look-alikes."""
        self._refuse_writes("delete")
        return super().delete()

    # As Django has it: no Product.objects.delete() that empties the shop, nor from a template.
    delete.queryset_only = True  # type: ignore[attr-defined]
    delete.alters_data = True  # type: ignore[attr-defined]

    def update(self, **kwargs: Any) -> int:
        """Refuse on a similarity order."""
        self._refuse_writes("update")
        return super().update(**kwargs)

    update.alters_data = True  # type: ignore[attr-defined]

    def select_for_update(self, *args: Any, **kwargs: Any) -> Self:
        """Refuse on a similarity order, whose savepoint would let go of the locks at once."""
        self._refuse_writes("select_for_update")
        return super().select_for_update(*args, **kwargs)

    def _refuse_writes(self, name: str) -> None:
        if self._imgrec_space:
            raise ValueError(f"{name}() on similar_to(): use filter(pk__in=…) with its keys.")


def _items(space: SpaceDefinition) -> QuerySet[Any]:
    return space.item_model._base_manager.all()


def seed_key(space: SpaceDefinition, seed: models.Model) -> Any:
    """Return the item's key of a seed. Raises ``ValueError`` for a seed of another model."""
    if not isinstance(seed, space.item_model):
        expected = space.item_model._meta.label
        raise ValueError(f"The seed is a {type(seed).__name__}; {space.label} has {expected}.")
    return space.item_key(seed)


def seed_vector(space: SpaceDefinition, seed: models.Model) -> Any:
    """Return the seed's vector as a subquery (it stays out of query logs).

    With several photos a product, of its first one.
    """
    return Subquery(_seed_rows(space, seed).order_by("pk").values("vector")[:1])


def _seed_rows(space: SpaceDefinition, seed: models.Model) -> QuerySet[Any]:
    rows: QuerySet[Any] = space.embedding_model.objects.filter(
        version=served_version(space), **{space.item_column: seed_key(space, seed)}
    )
    return rows


def nearest(
    rows: QuerySet[Any], space: SpaceDefinition, vector: Any, *, exact: bool = False
) -> QuerySet[Any]:
    """Order products by distance to a vector (dimensions,), those without a vector left out.

    ``exact``: in a form the approximate index cannot serve.
    """
    version = served_version(space)
    if space.item:
        photos = space.embedding_model.objects.filter(
            version=version, **{space.item_column: OuterRef(item_path(space))}
        )
        best = photos.values(space.item_column).annotate(d=Min(CosineDistance("vector", vector)))
        rows = rows.alias(_d=Subquery(best.values("d"), output_field=FloatField()))
        rows = rows.filter(_d__isnull=False).annotate(distance=F("_d"))
    else:
        path = space.reverse
        rows = rows.filter(**{f"{path}__isnull": False, f"{path}__version": version})
        distance: Any = CosineDistance(f"{path}__vector", vector)
        if exact:
            distance = ExpressionWrapper(distance + Value(0.0), output_field=FloatField())
        rows = rows.annotate(distance=distance)
    cosine = ExpressionWrapper(Value(1.0) - F("distance"), output_field=FloatField())
    similarity = Greatest(Least(cosine, Value(1.0)), Value(0.0), output_field=FloatField())
    ordered: QuerySet[Any] = rows.annotate(similarity=similarity).order_by("distance", "pk")
    return ordered
