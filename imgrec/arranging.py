"""Which candidates are shown: cut off, grouped, folded, diversified; arithmetic on arrays only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from imgrec.topk import Matrix, unit

Vector = npt.NDArray[np.float32]
# A sum of vectors shorter than this points nowhere: what is left is rounding.
NOWHERE = 1e-3


@dataclass(frozen=True)
class Candidates:
    """Products that may be shown, the most similar first.

    ``similarities``: cosines (n,), falling. ``groups``: one value each; None is nobody's group.
    ``vectors``: unit rows (n, dimensions), of several photos the one nearest to the seed.
    The first ``pinned`` are shown whatever they look like. ``scores``: what the others are in the
    order of (falling), where that is not their similarity. ``variants``: of each, the keys as text
    of products that somebody called variants of it.
    """

    keys: Sequence[Any]
    similarities: npt.NDArray[np.float64]
    groups: Sequence[Any] | None = None
    vectors: Matrix | None = None
    pinned: int = 0
    scores: npt.NDArray[np.float64] | None = None
    variants: Sequence[Collection[str]] | None = None


@dataclass(frozen=True)
class Rules:
    """What may be shown beside each other.

    ``least``: the lowest similarity, from 0. ``fold``: what is as similar as this to the seed, or
    to a better one, is left out, and so are variants of these. ``seeds``: unit rows to fold by,
    where the similarity is to something else. ``seed_keys``: as text. ``is_past``, ``is_shown``,
    ``is_taken``: of earlier pages, by similarity, key and group.
    """

    least: float = 0.0
    fold: float | None = None
    seeds: Matrix | None = None
    seed_keys: frozenset[str] = frozenset()
    is_past: Callable[[float], bool] = lambda similarity: False
    is_shown: Callable[[Any], bool] = lambda key: False
    is_taken: Callable[[Any], bool] = lambda group: False


def blend(likes: Iterable[tuple[Vector, float]], dislikes: Iterable[tuple[Vector, float]]) -> Any:
    """Return the unit vector that points to some vectors and away from others, by weight.

    Each vector (dimensions,) counts as long as 1. None when they cancel each other out.
    """
    weighted = [*likes, *((vector, -weight) for vector, weight in dislikes)]
    if not weighted:
        return None
    rows = unit(np.stack([vector for vector, _weight in weighted])).astype(np.float64)
    weights = np.array([weight for _vector, weight in weighted])
    total = (weights / np.abs(weights).max()) @ rows
    length = np.linalg.norm(total)
    return None if length < NOWHERE else (total / length).astype(np.float32)


def choose(candidates: Candidates, rules: Rules, most: int) -> list[int]:
    """Return the places of the first ``most`` candidates that may be shown, after the pinned ones.

    Goes from the best on: of a group, and of near-duplicates, the best stays. So what is chosen
    of the first candidates is chosen of all of them.
    """
    kept = _Kept(candidates, rules)
    pinned = [place for place in range(candidates.pinned) if not kept.was_shown(place)]
    for place in pinned:
        kept.add(place)
    is_falling = candidates.scores is None
    scores = candidates.similarities if candidates.scores is None else candidates.scores
    chosen: list[int] = []
    for place in range(candidates.pinned, len(candidates.keys)):
        is_below = max(float(candidates.similarities[place]), 0.0) < rules.least
        if len(chosen) == most or (is_below and is_falling):
            break
        is_past = rules.is_past(float(scores[place]))
        if is_below or is_past or kept.was_shown(place) or kept.has_like(place):
            continue
        kept.add(place)
        chosen.append(place)
    return [*pinned, *chosen]


def placed(
    pins: Iterable[tuple[int, int]], others: Iterable[int], *, shown: int, most: int
) -> list[int]:
    """Return places in order: each pin ``(position, place)`` at its position, or right behind.

    ``shown``: how many come before these, on earlier pages. Nothing is left to fill the places
    before a pin: it moves up.
    """
    waiting, filling = deque(sorted(pins, key=itemgetter(0))), deque(others)
    order: list[int] = []
    while len(order) < most and (waiting or filling):
        is_due = waiting and waiting[0][0] <= shown + len(order) + 1
        order.append(waiting.popleft()[1] if is_due or not filling else filling.popleft())
    return order


def diversify(
    similarities: npt.NDArray[np.float64],
    vectors: Matrix,
    most: int,
    diversity: float,
    *,
    beside: Matrix | None = None,
) -> list[int]:
    """Return places by maximal marginal relevance (Carbonell and Goldstein, 1998).

    Each next one is the best by ``(1 - diversity) * similarity - diversity * alike``, where alike
    is its cosine with the one chosen before it is most alike to. 0 keeps the order.
    ``beside``: vectors (n, dimensions) of what is shown anyhow.
    """
    relevance = (1 - diversity) * np.asarray(similarities, dtype=np.float64)
    alike = np.zeros(len(relevance))
    has_some = beside is not None and len(beside) > 0
    if beside is not None and len(beside):
        alike = (vectors @ beside.T).max(axis=1).astype(np.float64)
    is_left = np.ones(len(relevance), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < min(most, len(relevance)):
        score = np.where(is_left, relevance - diversity * alike, -np.inf)
        place = int(np.argmax(score))
        to_it = (vectors @ vectors[place]).astype(np.float64)
        alike = np.maximum(alike, to_it) if chosen or has_some else to_it
        is_left[place] = False
        chosen.append(place)
    return chosen


class _Kept:
    """What is shown already, on earlier pages and on this one."""

    def __init__(self, candidates: Candidates, rules: Rules) -> None:
        self.candidates, self.rules = candidates, rules
        self.groups: set[Any] = set()
        self.keys = set(rules.seed_keys)
        self.shown = [rules.is_shown(key) for key in candidates.keys]
        self.folded = self._near_seeds()
        for place, is_shown in enumerate(self.shown):
            if is_shown:
                self._fold(place)

    def was_shown(self, place: int) -> bool:
        return self.shown[place]

    def has_like(self, place: int) -> bool:
        """Return whether its group, or something that looks the same, is shown."""
        group = self._group(place)
        if group is not None and (group in self.groups or self.rules.is_taken(group)):
            return True
        return bool(self.folded[place]) or self._has_variant(place)

    def add(self, place: int) -> None:
        group = self._group(place)
        if group is not None:
            self.groups.add(group)
        self._fold(place)

    def _group(self, place: int) -> Any:
        return self.candidates.groups[place] if self.candidates.groups is not None else None

    def _has_variant(self, place: int) -> bool:
        variants = self.candidates.variants
        if variants is None or self.rules.fold is None:
            return False
        return not self.keys.isdisjoint(variants[place])

    def _near_seeds(self) -> npt.NDArray[np.bool_]:
        fold, vectors = self.rules.fold, self.candidates.vectors
        if fold is None:
            return np.zeros(len(self.candidates.keys), dtype=bool)
        if self.rules.seeds is None or vectors is None:
            return np.asarray(self.candidates.similarities) >= fold
        if not len(self.candidates.keys) or not len(self.rules.seeds):
            return np.zeros(len(self.candidates.keys), dtype=bool)
        return np.asarray((vectors @ self.rules.seeds.T).max(axis=1) >= fold)

    def _fold(self, place: int) -> None:
        self.keys.add(str(self.candidates.keys[place]))
        vectors = self.candidates.vectors
        if self.rules.fold is not None and vectors is not None:
            self.folded |= vectors @ vectors[place] >= self.rules.fold
