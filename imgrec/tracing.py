"""How a list came about: the rank of each product after each step, and why others are not in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet

from imgrec import steered
from imgrec.answering import Question
from imgrec.arranging import choose, placed
from imgrec.choice import Choice
from imgrec.guest import reading, settings_of_our_own
from imgrec.live import similarity_of
from imgrec.pool import Candidate, Search
from imgrec.search_settings import pool_settings
from imgrec.seeds import of_seed
from imgrec.served import served_space
from imgrec.spaces import SpaceDefinition
from imgrec.steering import Steering, no_rules, steering_of
from imgrec.trace_reasons import Why
from imgrec.visibility import item_path, recommendable, visible
from imgrec.wishes import Wish

# In this order a product may drop out.
STEPS = (
    "order",
    "visible",
    "recommend",
    "among",
    "similarity",
    "rules",
    "group",
    "diversity",
    "limit",
)
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
) -> Trace:
    """Return how the list beside one product comes about, searched exactly.

    Args:
        seed: a saved product.
        about: a product that is to be among the lines, however far away.
        most: how many of the nearest are among the lines in any case.
        limit, among, min_similarity, group_by, fold, diversity: those of ``similar_products``,
            which gives the same products in the same order.
    """
    wish = Wish.of(
        limit=limit,
        min_similarity=min_similarity,
        group_by=group_by,
        fold=fold,
        diversity=diversity,
    )
    space = served_space(type(seed))
    question = Question([(seed, 1.0)], [], wish, among, is_given=True)
    choice = question.choice(space)
    with reading(choice.using, **pool_settings(space)):
        steering = steering_of(space, choice.likes, choice.using) or no_rules(space)
        with settings_of_our_own(choice.using, **pool_settings(space)):
            return _Tracing(question, choice, steering, about, most).trace()


@dataclass
class _Tracing:
    question: Question
    choice: Choice
    steering: Steering
    about: models.Model | None
    most: int
    found: dict[Any, Candidate] = field(default_factory=dict)  # all that is near, by key

    @property
    def space(self) -> SpaceDefinition:
        return self.choice.space

    @property
    def wish(self) -> Wish:
        return self.question.wish

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

    # --- what is asked of the database

    @cached_property
    def search(self) -> Search:
        """The search that shoppers' lists come from."""
        choice = self.choice.steered_by(self.steering)
        return self.question.search(choice, self._seed)

    @cached_property
    def everything(self) -> Search:
        """The same among all products but the one asked about."""
        rows = self._items().exclude(pk=self.choice.key)
        return replace(self.search, rows=lambda: rows, like=None)

    def _seed(self) -> Any:
        return of_seed(self.space, self.choice.key, self.choice.using, shown=self.choice.shown)

    def _items(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.space.item_model._base_manager.using(self.choice.using)
        return rows.order_by()

    def _candidate(self, key: Any) -> Candidate | None:
        if key is None:
            return None
        only = steered.among(self.everything, Q(**{item_path(self.space): key}))
        found = only.pool(1).candidates
        return found[0] if found else None

    def _products(self, keys: list[Any]) -> dict[Any, Any]:
        rows = self._items().filter(pk__in=keys)
        return {self.space.item_key(product): product for product in rows}

    def _filters(self) -> dict[str, set[Any]]:
        """Return which of the products found pass each filter."""
        keys = [*self.found]
        rows, path = self._items().filter(pk__in=keys), item_path(self.space)
        chosen = {f"{path}__in": keys}
        return {
            "order": set(keys),
            "visible": _keys(visible(self.space, rows), path),
            "recommend": _keys(recommendable(self.space, rows), path),
            "among": _keys(self.choice.among.order_by().filter(**chosen), path),
            "group": _keys(self.choice.rows.order_by().filter(**chosen), path),
        }

    @cached_property
    def categories(self) -> dict[Any, Any]:
        """The categories of all products found, if any rule goes by them."""
        category = self.steering.category
        rules = [*self.steering.blocks, *self.steering.boosts]
        if category is None or not any(each.rule.is_of_category for each in rules):
            return {}
        rows = self._items().filter(pk__in=[*self.found])
        return dict(rows.values_list(item_path(self.space), category.name))

    # --- the steps

    def _rank(self, take: int) -> None:
        """Search exactly, and keep what each of the last steps leaves, in order."""
        wish = self.wish
        self.ranked, _places = steered.enough(
            self.search, wish, self.steering, exact=True, take=take
        )
        arrays = self.ranked.as_arrays(self.search)
        pinned = list(zip(self.ranked.positions, range(arrays.pinned), strict=True))
        every = len(arrays.keys)
        near = choose(
            replace(arrays, vectors=None, groups=None), replace(wish.rules, fold=None), every
        )
        chosen = choose(arrays, wish.rules, every)
        diverse = replace(wish, limit=every).diverse(
            arrays, [*chosen[arrays.pinned :]], chosen[: arrays.pinned], most=wish.wanted
        )
        self.arrays = arrays

        def in_order(others: list[int]) -> list[Any]:
            return [arrays.keys[place] for place in placed(pinned, others, shown=0, most=every)]

        self.stages = {
            "rules": in_order(near[arrays.pinned :]),
            "group": in_order(chosen[arrays.pinned :]),
            "diversity": in_order(diverse),
        }
        self.stages["limit"] = self.stages["diversity"][: wish.limit]
        self.chosen = chosen

    def _pinned(self) -> list[Any]:
        return [each.value for each in self.steering.pins if not each.rule.is_of_category]

    def _order(self, step: str, near: list[Candidate]) -> list[Any]:
        """Return what is left of the nearest after one of the first steps."""
        keys = [each.key for each in near]
        for name in STEPS[1 : STEPS.index(step) + 1]:
            keys = [key for key in keys if self._passes(name, key)]
        return keys

    def _passes(self, step: str, key: Any) -> bool:
        if step == "similarity":
            return similarity_of(self.found[key]) >= self.wish.least
        return key in self.filters[step] or key not in self.found

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

    def _rank_after(
        self, step: str, key: Any, candidate: Candidate | None, why: Why | None
    ) -> int | None:
        if candidate is None or (why and STEPS.index(why.step) <= STEPS.index(step)):
            return None
        if step in self.orders:
            keys = self.orders[step]
            return keys.index(key) + 1 if key in keys else self._counted(step, candidate)
        keys = self.stages[step]
        return keys.index(key) + 1 if key in keys else None

    def _counted(self, step: str, candidate: Candidate) -> int:
        """Return the rank of a product beyond the nearest."""
        rows = self._items().exclude(pk=self.choice.key)
        if step == "visible":
            rows = visible(self.space, rows)
        elif step != "order":
            rows = recommendable(self.space, rows)
        if step in {"among", "similarity"}:
            rows = recommendable(self.space, self.choice.among.exclude(pk=self.choice.key))
        return replace(self.everything, rows=lambda: rows).nearer(candidate) + 1

    # --- why not

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
        if fold is not None and arrays.vectors is not None:
            for each in others:
                alike = float(arrays.vectors[each] @ arrays.vectors[place])
                if alike >= fold:
                    return Why.folded(self._name(each), alike)
        return Why.folded("", float(arrays.similarities[place]))

    def _name(self, place: int) -> str:
        key = self.arrays.keys[place]
        if key not in self.lookups:
            self.lookups |= self._products([key])
        return str(self.lookups.get(key, key))


def _keys(rows: QuerySet[Any], path: str) -> set[Any]:
    return set(rows.values_list(path, flat=True))
