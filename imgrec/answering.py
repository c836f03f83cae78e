"""One question about look-alikes and how it is answered: by a stored list, or live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.db import models
from django.db.models import QuerySet

from imgrec import live, matches, steered
from imgrec.choice import Choice
from imgrec.matching import note_photos
from imgrec.pool import Like, Search
from imgrec.queryset import seed_key
from imgrec.results import SimilarProducts
from imgrec.seeds import of_seed, of_vector, prepared_key
from imgrec.served import decides_what_is_served, remember_served
from imgrec.several import Weights, blended
from imgrec.spaces import SpaceDefinition, space_by_label
from imgrec.sql import Part
from imgrec.steering import steering_of
from imgrec.stored import from_list
from imgrec.visibility import recommendable
from imgrec.wishes import Wish

Weighted = list[tuple[models.Model, float]]


@dataclass(frozen=True)
class Question:
    """Products like some, and unlike others, by weight; ``wish``: which of them."""

    likes: Weighted
    dislikes: Weighted
    wish: Wish
    among: QuerySet[Any] | None
    is_given: bool  # the space, by the caller: then it need not be the one served

    def choice(self, space: SpaceDefinition) -> Choice:
        """Return what may be shown. Raises ``ValueError`` for what cannot be asked."""
        likes, dislikes = _by_key(self.likes, space), _by_key(self.dislikes, space)
        wish = self.wish
        return Choice(space, likes, dislikes, self.among, wish.group_by, wish.price_band)

    def answer(self, choice: Choice) -> SimilarProducts:
        """Search in a space; if shoppers see another one by now, in that."""
        rule_set = self.wish.rule_set
        steering = steering_of(choice.space, choice.likes, choice.using, rule_set=rule_set)
        choice = choice.steered_by(steering) if steering else choice
        if self.wish.match is None:
            scale, asked = None, self
        else:
            scale = matches.scale_for(choice.space, [e for e, _w in self.likes], choice.using)
            asked = replace(self, wish=self.wish.measured_by(scale))
        found = asked._like_one(choice) if choice.is_of_one else asked._like_several(choice)
        served = space_by_label(found.space)
        if served is None or served.label == choice.space.label:
            return found if self.wish.match is None else matches.note(found, scale)
        # Another space is served since this process last looked.
        remember_served(type(self.likes[0][0]), served.label)
        return self.answer(self.choice(served))

    def _like_one(self, choice: Choice) -> SimilarProducts:
        reads_list = self.wish.is_plain and not (choice.steering and choice.steering.reorders)
        if reads_list:
            served_only = not (self.is_given and decides_what_is_served(choice.space))
            found = from_list(choice, self.wish, served_only=served_only)
            if found is not None:
                note_photos(found, self.likes[0][0], choice.using)
                return found

        def seed() -> Part:
            return of_seed(choice.space, choice.key, choice.using, shown=choice.shown)

        found = _find(choice, self.search(choice, seed), self.wish)
        found.short = reads_list
        return found

    def _like_several(self, choice: Choice) -> SimilarProducts:
        query = blended(
            choice.space, choice.likes, choice.dislikes, choice.using, is_given=self.is_given
        )
        if query.vector is None or query.served != choice.space.label:
            return SimilarProducts(space=query.served)
        wish = replace(self.wish, seeds=query.seeds)
        vector = of_vector(query.vector)
        return _find(choice, self.search(choice, lambda: vector), wish)

    def search(self, choice: Choice, seed: Callable[[], Part]) -> Search:
        """Return the live search that answers it."""
        return Search(
            choice.space,
            seed,
            lambda: choice.rows,
            choice.using,
            like=_like(choice),
            is_given=self.is_given,
            group_by=self.wish.group_by,
            with_vectors=self.wish.needs_vectors,
            with_variants=bool(self.wish.fold),
        )


def _find(choice: Choice, search: Search, wish: Wish) -> SimilarProducts:
    wish = replace(wish, seed_keys=choice.seed_keys)
    if choice.steering and choice.steering.reorders:
        return steered.find(search, wish, choice.steering)
    return live.find(search, wish)


def _like(choice: Choice) -> Like | None:
    if choice.name is None or choice.group_by:
        return None
    key = prepared_key(choice.space, choice.key, choice.using)
    return Like(choice.name, key, lambda: recommendable(choice.space, choice.among))


def _by_key(products: Weighted, space: SpaceDefinition) -> Weights:
    found: Weights = {}
    for product, weight in products:
        key = seed_key(space, product)
        if key is not None:  # saved
            found[key] = found.get(key, 0.0) + weight
    return found
