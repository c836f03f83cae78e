"""How a list came about: the rank of each product after each step, and why others are not in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import QuerySet

from imgrec.answering import Question
from imgrec.guest import reading, settings_of_our_own
from imgrec.live import similarity_of
from imgrec.pool import Candidate
from imgrec.search_settings import pool_settings
from imgrec.served import served_space
from imgrec.spaces import SpaceDefinition
from imgrec.steering import no_rules, steering_of
from imgrec.trace_reasons import Why
from imgrec.trace_stages import STEPS, Stages
from imgrec.wishes import Wish

# A product asked about is followed through all steps up to this rank; beyond, its rank says it.
FOLLOWED = 5_000


@dataclass(frozen=True)
class Line:
    """A product: its rank after each step (None: out), and why it is not shown, if it is not."""

    key: Any
    product: Any
    similarity: float | None
    ranks: tuple[int | None, ...]
    why: Why | None = None
    pinned: Any = None  # the rule
    boosts: Sequence[Any] = ()

    @property
    def rank(self) -> int | None:
        """Its place in the list that shoppers see, from 1."""
        return self.ranks[-1]


@dataclass(frozen=True)
class Trace:
    """``lines``: what is near and all that is shown, by the first rank; ``about``: one of them."""

    space: SpaceDefinition
    steps: Sequence[str]
    lines: Sequence[Line] = ()
    about: Line | None = None
    trouble: Why | None = None  # why there is no list at all

    @property
    def keys(self) -> list[Any]:
        """What shoppers see, in order, if the search is exact."""
        shown = [line for line in self.lines if line.rank is not None]
        return [line.key for line in sorted(shown, key=lambda line: line.rank or 0)]


def trace(
    seed: models.Model,
    *,
    about: models.Model | None = None,
    most: int = 60,
    limit: int = 8,
    among: QuerySet[Any] | None = None,
    min_similarity: float | None = None,
    group_by: str | None = None,
    fold: float | None = None,
    diversity: float | None = None,
    rule_set: str = "",
) -> Trace:
    """Return how the list beside one product comes about, searched exactly.

    Args:
        seed: a saved product.
        about: a product that is to be among the lines, however far away.
        most: how many of the nearest are among the lines in any case.
        limit, among, min_similarity, group_by, fold, diversity, rule_set: those of
            ``similar_products``, which gives the same products in the same order.
    """
    wish = Wish.of(
        limit=limit,
        min_similarity=min_similarity,
        group_by=group_by,
        fold=fold,
        diversity=diversity,
        rule_set=rule_set,
    )
    space = served_space(type(seed))
    question = Question([(seed, 1.0)], [], wish, among, is_given=True)
    choice = question.choice(space)
    with reading(choice.using, **pool_settings(space)):
        found = steering_of(space, choice.likes, choice.using, rule_set=rule_set)
        steering = found or no_rules(space)
        with settings_of_our_own(choice.using, **pool_settings(space)):
            return _Tracing(question, choice, steering, about, most).trace()


@dataclass
class _Tracing(Stages):
    about: models.Model | None
    most: int

    def trace(self) -> Trace:
        """Put the steps together."""
        trouble = Why.of_seed(self.space, self.choice.key, self.choice.using)
        about_key = self.space.item_key(self.about) if self.about is not None else None
        if trouble:
            return Trace(self.space, STEPS, trouble=trouble)
        near = self.everything.pool(self.most, exact=True).candidates
        far = self._candidate(about_key)
        take = min(self.everything.nearer(far) + 2, FOLLOWED) if far else 0
        self._rank(max(take, self.most))
        for each in [*near, *self.ranked.candidates, *([far] if far else [])]:
            self.found.setdefault(each.key, each)
        self.filters = self._filters()
        shown = self.stages["limit"]
        keys = dict.fromkeys([*(each.key for each in near), *shown, *self._pinned()])
        if about_key is not None:
            keys[about_key] = None
        self.lookups = self._products([*keys])
        self.orders = {step: self._order(step, near) for step in STEPS[:5]}
        lines = [self._line(key) for key in keys if key in self.lookups]
        lines.sort(
            key=lambda line: -2.0 if line.similarity is None else line.similarity, reverse=True
        )
        about = next((line for line in lines if line.key == about_key), None)
        return Trace(self.space, STEPS, lines, about)

    def _pinned(self) -> list[Any]:
        return [each.value for each in self.steering.pins if not each.rule.is_of_category]

    def _line(self, key: Any) -> Line:
        candidate = self.found.get(key)
        why = self._why(key, candidate)
        pin = next((pin for pin in self.ranked.pins if pin.candidate.key == key), None)
        category = self.categories.get(key)
        return Line(
            key,
            self.lookups[key],
            None if candidate is None else similarity_of(candidate),
            tuple(self._rank_after(step, key, candidate, why) for step in STEPS),
            why,
            pin.decided.rule if pin else None,
            [each.rule for each in self.steering.boosts_of(key, category)],
        )

    def _why(self, key: Any, candidate: Candidate | None) -> Why | None:
        if key in self.stages["limit"]:
            return None
        if key == self.choice.key:
            return Why.itself()
        if candidate is None:
            return Why.no_vector(self.space, key, self.choice.using)
        return self._why_filtered(key, candidate) or self._why_left_out(key)

    def _why_filtered(self, key: Any, candidate: Candidate) -> Why | None:
        if key not in self.filters["visible"]:
            return Why.hidden(self.space)
        if key not in self.filters["recommend"]:
            return Why.held_back(self.space)
        if key not in self.filters["among"]:
            return Why.not_among()
        is_pinned = any(pin.candidate.key == key for pin in self.ranked.pins)
        similarity = similarity_of(candidate)
        if similarity < self.wish.least and not is_pinned:
            return Why.not_similar(similarity, self.wish.least)
        for each in self.steering.blocks:
            if each.value == (self.categories.get(key) if each.rule.is_of_category else key):
                return Why.blocked(each.rule)
        return None if key in self.filters["group"] else Why.of_seeds_group(self.wish.group_by)

    def _why_left_out(self, key: Any) -> Why:
        stages, limit = self.stages, self.wish.limit
        if key in stages["diversity"]:
            rank = stages["diversity"].index(key) + 1
            return Why.beyond(rank, limit)
        if key in stages["group"]:
            return Why.not_diverse(stages["group"].index(key) + 1, self.wish.wanted)
        if key in stages["rules"]:
            return self._why_folded(list(self.arrays.keys).index(key))
        return Why.beyond(self._counted("similarity", self.found[key]), limit)

    def _why_folded(self, place: int) -> Why:
        """Say which better product stands for this one."""
        arrays, fold = self.arrays, self.wish.fold
        others = [each for each in self.chosen if each < place]
        if arrays.groups is not None and arrays.groups[place] is not None:
            for each in others:
                if arrays.groups[each] == arrays.groups[place]:
                    return Why.same_group(self._name(each), self.wish.group_by)
        if why := self._why_variant(place, others):
            return why
        if fold is not None and arrays.vectors is not None:
            for each in others:
                alike = float(arrays.vectors[each] @ arrays.vectors[place])
                if alike >= fold:
                    return Why.folded(self._name(each), alike)
        return Why.folded("", float(arrays.similarities[place]))

    def _why_variant(self, place: int, others: list[int]) -> Why | None:
        variants = set(self.arrays.variants[place]) if self.arrays.variants else set()
        if self.wish.seed_keys & variants:
            return Why.variant("")
        better = (each for each in others if str(self.arrays.keys[each]) in variants)
        other = next(better, None)
        return None if other is None else Why.variant(self._name(other))

    def _name(self, place: int) -> str:
        key = self.arrays.keys[place]
        if key not in self.lookups:
            self.lookups |= self._products([key])
        return str(self.lookups.get(key, key))
