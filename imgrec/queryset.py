"""``SimilarityQuerySet``: similar products as plain SQL that composes with the shop's own."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Self, cast

from django.db import models
from django.db.models import QuerySet
from django.db.models.query import ModelIterable

from imgrec.conf import settings
from imgrec.distances import ORDER, near_by_index, ordered_by_distance, without_floor
from imgrec.guest import with_settings
from imgrec.remembered import has_constant_rules, instances, what_of
from imgrec.search_settings import search_settings
from imgrec.seeds import prepared_key
from imgrec.served import served_space
from imgrec.spaces import SpaceDefinition


@dataclass(frozen=True)
class Asked:
    """What ``similar_to`` was asked for: the least similarity, and which part of the order."""

    least: float
    low: int = 0
    high: int | None = None

    def may_be_cut(self, part: Any) -> bool:
        """Return whether a slice of it is as simple as this one is."""
        if not isinstance(part, slice) or part.step is not None or self.high is not None:
            return False
        start, stop = part.start or 0, part.stop
        return type(start) is int and type(stop) is int and 0 <= start <= stop

    def is_near(self, distance: float) -> bool:
        """Return whether a product at this distance is similar enough."""
        return self.least <= 0 or distance <= 1 - self.least


class SimilarityQuerySet(QuerySet[Any]):
    """A queryset of products that can be ordered by visual similarity to one of them."""

    _imgrec_space: SpaceDefinition | None = None  # where similar_to() searches
    _imgrec_seed: Any = None  # and the key of the product it searches by
    _imgrec_asked: Asked | None = None  # what of it the query does not say yet

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
        chosen = space or served_space(self.model, self.db)
        key = seed_key(chosen, seed)
        least = settings.min_similarity if min_similarity is None else min_similarity
        live: Self = self._chain()  # type: ignore[attr-defined]
        live._imgrec_space, live._imgrec_seed, live._imgrec_asked = chosen, key, Asked(least)
        return live

    @property
    def query(self) -> Any:
        """The query. It is not needed where a statement is remembered, and then never made."""
        asked, self._imgrec_asked = self._imgrec_asked, None
        if asked is not None:
            space: Any = self._imgrec_space
            rows: Any = QuerySet(self.model, QuerySet.query.fget(self), self._db, self._hints)  # type: ignore[attr-defined]
            query = ordered_by_distance(rows, space, self._imgrec_seed, asked.least).query
            query.set_limits(asked.low, asked.high)
            self._query = query
        return QuerySet.query.fget(self)  # type: ignore[attr-defined]

    @query.setter
    def query(self, value: Any) -> None:
        QuerySet.query.fset(self, value)  # type: ignore[attr-defined]

    def _clone(self) -> Self:
        asked, self._imgrec_asked = self._imgrec_asked, None
        try:
            clone = super()._clone()  # type: ignore[misc]
        finally:
            self._imgrec_asked = asked
        clone._imgrec_space, clone._imgrec_seed = self._imgrec_space, self._imgrec_seed
        clone._imgrec_asked = asked
        return clone  # type: ignore[no-any-return]

    def __getitem__(self, part: Any) -> Any:
        """Return a slice, or one product."""
        asked = self._imgrec_asked
        if asked is None or self._result_cache is not None or not asked.may_be_cut(part):
            return super().__getitem__(part)
        clone: Self = self._chain()  # type: ignore[attr-defined]
        clone._imgrec_asked = Asked(asked.least, part.start or 0, part.stop)
        return clone

    def _fetch_all(self) -> None:
        """Evaluate under our search settings, so that filters do not starve the index scan."""
        if self._imgrec_space and self._result_cache is None:
            with with_settings(self.db, **search_settings(self._imgrec_space)):
                if not self._fetch_remembered(self._imgrec_space):
                    self._fetch_near()
        else:
            super()._fetch_all()

    def _fetch_remembered(self, space: SpaceDefinition) -> bool:
        """Evaluate by a statement that was put together before, for another product."""
        asked, self._imgrec_asked = self._imgrec_asked, None
        name = self._name(space) if asked and asked.high is not None else None
        self._imgrec_asked = asked
        if asked is None or name is None:
            return False

        def put_together() -> QuerySet[Any]:
            bare: Self = self._chain()  # type: ignore[attr-defined]
            bare._imgrec_asked = replace(asked, least=0.0)
            return QuerySet(self.model, bare.query, self.db)

        key = prepared_key(space, self._imgrec_seed, self.db)
        found = instances((name, asked.low, asked.high), key, self.db, put_together)
        self._result_cache = [each for each in found if asked.is_near(each.distance)]
        return True

    def _name(self, space: SpaceDefinition) -> Hashable | None:
        """Return what statements can be remembered by; None: not at all."""
        if space.item or self._imgrec_seed is None or not has_constant_rules(space):
            return None
        what = what_of(self, self.db)
        return None if what is None else ("similar_to", space, what, self.db)

    def _fetch_near(self) -> None:
        """Evaluate a slice without the floor of its similarity, which is quicker, and cut it."""
        rows, floor = self._without_floor()
        rows._fetch_by_index()
        found = rows._result_cache or []
        if floor is not None:
            found = [each for each in found if each.distance <= floor]
        self._result_cache, self._prefetch_done = found, True

    def _fetch_by_index(self) -> None:
        """Evaluate by the index first where that takes a form of its own, all the same if short."""
        by_index = self._by_index()
        if by_index is not self:
            super(SimilarityQuerySet, by_index)._fetch_all()
            self._result_cache, self._prefetch_done = by_index._result_cache, True
            wanted = int(self.query.high_mark or 0) - self.query.low_mark
            if len(self._result_cache or ()) == wanted:
                return
            self._result_cache, self._prefetch_done = None, False
        super()._fetch_all()

    def _without_floor(self) -> tuple[Self, float | None]:
        if not self._is_nearest_first() or self._iterable_class is not ModelIterable:
            return self, None
        return cast(tuple[Self, float | None], without_floor(self))

    def _by_index(self) -> Self:
        """Return the form for the index; a slice of products with several photos has its own."""
        space = self._imgrec_space
        if space is None or not space.item or not self._is_nearest_first():
            return self
        return cast(Self, near_by_index(self, space, self._imgrec_seed))

    def _is_nearest_first(self) -> bool:
        """Return whether this is a slice of the nearest, in that order."""
        return self.query.high_mark is not None and self.query.order_by == ORDER

    def explain(self, *, format: str | None = None, **options: Any) -> str:
        """Return the plan of the statement that is sent first."""
        first = self._without_floor()[0]._by_index() if self._imgrec_space else self
        return str(super(SimilarityQuerySet, first).explain(format=format, **options))

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

    def count(self) -> int:
        """Count under our search settings: of a slice the index might find fewer."""
        with self._settings():
            return super().count()

    def exists(self) -> bool:
        """Look under our search settings, as :meth:`count` does."""
        with self._settings():
            return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Reckon under our search settings, as :meth:`count` does."""
        with self._settings():
            return super().aggregate(*args, **kwargs)

    def _settings(self) -> AbstractContextManager[None]:
        if self._imgrec_space is None or self._result_cache is not None:
            return nullcontext()
        return with_settings(self.db, **search_settings(self._imgrec_space))

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


def seed_key(space: SpaceDefinition, seed: models.Model) -> Any:
    """Return the item's key of a seed. Raises ``ValueError`` for a seed of another model."""
    if not isinstance(seed, space.item_model):
        expected = space.item_model._meta.label
        raise ValueError(f"The seed is a {type(seed).__name__}; {space.label} has {expected}.")
    return space.item_key(seed)
