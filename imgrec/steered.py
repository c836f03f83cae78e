"""Live search under a merchant's rules: pins first, the others by what their similarity counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from django.db.models import Q

from imgrec import live
from imgrec.arranging import Candidates
from imgrec.guest import settings_of_our_own
from imgrec.paging import TOP
from imgrec.pool import Candidate, Pool, Search
from imgrec.results import SimilarProducts, note_rules
from imgrec.search_settings import pool_settings
from imgrec.steering import Decided, Steering
from imgrec.wishes import Wish

# Below all cosines.
NOTHING = -math.inf


@dataclass(frozen=True)
class Pin:
    """A rule that pins, and the product it puts there."""

    decided: Decided
    candidate: Candidate


@dataclass(frozen=True)
class Ranked:
    """Candidates in order, the pinned ones first; ``is_all``: no other may be shown.

    ``factors`` and ``scores``: of each, what its similarity is multiplied by, and what it counts.
    """

    pool: Pool
    pins: Sequence[Pin]
    candidates: list[Candidate]
    factors: list[float]
    scores: list[float]
    is_all: bool

    @property
    def positions(self) -> list[int]:
        """Where each pin wants to be."""
        return [pin.decided.position for pin in self.pins]

    def as_arrays(self, search: Search) -> Candidates:
        """Return the candidates as arrays."""
        near = replace(self.pool, candidates=self.candidates)
        scores = np.array(self.scores)
        return replace(live.arranged(near, search), pinned=len(self.pins), scores=scores)


@dataclass(frozen=True)
class Entry:
    """A candidate that is not pinned; ``order``: its place among those of the same distance."""

    candidate: Candidate
    factor: float
    order: int

    @property
    def score(self) -> float:
        """What its similarity counts."""
        return counted(1 - self.candidate.distance, self.factor)


def find(search: Search, wish: Wish, steering: Steering) -> SimilarProducts:
    """Return the products that may be shown, in the order the rules make.

    One SELECT more than :func:`imgrec.live.find` for all pinned products and each pinned category,
    one for those boosted, one for categories that boosts go by.
    """
    with settings_of_our_own(search.using, **pool_settings(search.space)):
        ranked, places = enough(search, wish, steering)
    shown = wish.arrange(ranked.as_arrays(search), places, ranked.positions)
    near = [ranked.candidates[place] for place in shown]
    products = live.products_of(search, near)
    found = {each.key: place for each, place in zip(near, shown, strict=True)}
    for product in products:
        place = found[search.space.item_key(product)]
        is_pinned = place < len(ranked.pins)
        note_rules(product, pinned=is_pinned, boosted=ranked.factors[place] != 1)
    told = [
        (candidate.key, TOP if place < len(ranked.pins) else ranked.scores[place], candidate.group)
        for candidate, place in zip(near, shown, strict=True)
    ]
    more = len(places) > len(shown) or not ranked.is_all
    return SimilarProducts(
        products,
        ranked.pool.served,
        ranked.pool.way,
        eligible=ranked.pool.eligible,
        next=partial(wish.next_token, told, more=more, keep_all=True),
    )


def enough(
    search: Search, wish: Wish, steering: Steering, *, exact: bool = False, take: int = 0
) -> tuple[Ranked, list[int]]:
    """Return candidates and the places of those that may be shown; ``exact``: whatever it costs.

    ``take``: how many candidates to look at in any case.
    """
    pins = pins_of(search, steering, reach=wish.reach, exact=exact)
    take = max(take, wish.first_take + len(pins))
    while True:
        ranked = _rank(search, steering, pins, take, wish.least, exact=exact)
        places = wish.choose(ranked.as_arrays(search))
        others = sum(place >= len(pins) for place in places)
        if ranked.is_all or others >= wish.wanted:
            return ranked, places
        take *= live.WIDER


def pins_of(search: Search, steering: Steering, *, reach: int, exact: bool = False) -> list[Pin]:
    """Return the pins up to a position, each with an eligible product, in their order.

    Of a pinned category it is the most similar product that no other pin has.
    """
    pins = [each for each in steering.pins if each.position <= reach]
    products = [each for each in pins if not each.rule.is_of_category]
    found: dict[Any, Candidate] = {}
    if products:
        found = {each.key: each for each in _matching(search, steering, products, exact=exact)}
    taken, given = set(found), []
    of_category: dict[Any, list[Candidate]] = {}
    for each in sorted(pins, key=lambda each: (each.position, each.rule.pk)):
        if not each.rule.is_of_category:
            candidate = found.pop(each.value, None)
        else:
            if each.value not in of_category:
                near = _matching(search, steering, [each], exact=exact, more=len(pins))
                of_category[each.value] = near
            near = [near for near in of_category[each.value] if near.key not in taken]
            candidate = near[0] if near else None
        if candidate is not None:
            taken.add(candidate.key)
            given.append(Pin(each, candidate))
    return given


def _matching(
    search: Search, steering: Steering, decided: list[Decided], *, exact: bool, more: int = 0
) -> list[Candidate]:
    take = len(decided) + more
    return nearest(among(search, steering.matching(decided)), take, exact=exact).candidates


def among(search: Search, condition: Q) -> Search:
    """Return the same search among fewer products."""
    return replace(search, rows=lambda: search.rows().filter(condition), like=None)


def nearest(search: Search, take: int, *, exact: bool = False) -> Pool:
    """Return the nearest candidates, by the index only where that gives as many."""
    pool = search.pool(take, exact=exact)
    if pool.way == "hnsw" and not search.gives_more(pool, take):
        return replace(search.pool(take, exact=True), eligible=pool.eligible)
    return pool


def _rank(
    search: Search,
    steering: Steering,
    pins: list[Pin],
    take: int,
    least: float,
    *,
    exact: bool,
) -> Ranked:
    """Order what is near: all that comes before anything that was not looked at."""
    pool = nearest(search, take, exact=exact)
    bounds = [_bound(pool, take, least)]
    raised, found = steering.raised(), list(pool.candidates)
    order: dict[Any, int] = {each.key: place for place, each in enumerate(found)}
    if raised is not None:
        boosted = nearest(among(search, raised), take, exact=exact)
        bounds.append(counted(_bound(boosted, take, least), steering.most_factor))
        found += [each for each in boosted.candidates if each.key not in order]
        order |= {each.key: place for place, each in enumerate(boosted.candidates)}
    entries = [
        Entry(each, factor, order[each.key])
        for each, factor in zip(found, factors_of(search, steering, found), strict=True)
    ]
    return _ordered(pool, pins, entries, max(bounds), has_boosts=bool(steering.boosts))


def counted(cosine: float, factor: float) -> float:
    """Return what a cosine counts: what is not similar at all does not become more so."""
    return cosine * factor if cosine > 0 else cosine


def _bound(pool: Pool, take: int, least: float) -> float:
    """Return the cosine that nothing else can have more of; where there is no other, NOTHING."""
    is_whole = pool.way != "hnsw" and len(pool.candidates) < take
    if is_whole or not pool.candidates:
        return NOTHING
    last = 1 - pool.candidates[-1].distance
    return NOTHING if max(last, 0.0) < least else last


def _ordered(
    pool: Pool, pins: list[Pin], entries: Iterable[Entry], bound: float, *, has_boosts: bool
) -> Ranked:
    pinned = {pin.candidate.key for pin in pins}
    others = [each for each in entries if each.candidate.key not in pinned]
    if has_boosts:
        others.sort(key=lambda each: (-each.score, each.candidate.distance, each.order))
        others = [each for each in others if each.score > bound]
    return Ranked(
        pool,
        pins,
        [*(pin.candidate for pin in pins), *(each.candidate for each in others)],
        [*(1.0 for _pin in pins), *(each.factor for each in others)],
        [*(TOP for _pin in pins), *(each.score for each in others)],
        is_all=bound == NOTHING,
    )


def factors_of(search: Search, steering: Steering, candidates: Sequence[Candidate]) -> list[float]:
    """Return what each candidate's similarity is multiplied by."""
    if not steering.boosts:
        return [1.0] * len(candidates)
    categories = categories_of(search, steering, [each.key for each in candidates])
    return [steering.factor(each.key, categories.get(each.key)) for each in candidates]


def categories_of(search: Search, steering: Steering, keys: list[Any]) -> dict[Any, Any]:
    """Return the categories of some products by key; nothing when no boost goes by them."""
    if not (steering.asks_category and steering.category):
        return {}
    items = search.space.item_model._base_manager.using(search.using).order_by()
    pairs = items.filter(pk__in=keys).values_list(steering.key_path, steering.category.name)
    return dict(pairs)
