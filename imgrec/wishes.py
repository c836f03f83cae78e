"""What a caller asks for beside the seed, checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from imgrec.arranging import Candidates, Rules, choose, diversify, placed
from imgrec.conf import settings
from imgrec.paging import Page, mark, page_after
from imgrec.percentiles import Scale, similarity_at
from imgrec.topk import Matrix

# For diversity: how many candidates there are to choose from, for each product shown.
DIVERSE_AMONG = 8
# How many candidates are read at first, for each product shown, where some will be left out.
READ_AHEAD = 4

COMBINATIONS = (
    "limit=, among=, min_similarity=, min_match=, price_band=, less_like=, group_by= and fold= go"
    " together, and with either after= or diversity="
)


@dataclass(frozen=True)
class Wish:
    """How many look-alikes, which of them, and where the page begins."""

    limit: int = 8
    least: float = 0.0
    match: float | None = None  # in percent; None: nobody asks
    group_by: str | None = None
    fold: float | None = None
    diversity: float = 0.0
    price_band: float | None = None
    rule_set: str = ""
    asked: tuple[Any, ...] = ()
    after: Page | None = None
    # To fold by: unit rows, and keys as text.
    seeds: Matrix | None = field(default=None, compare=False)
    seed_keys: frozenset[str] = field(default=frozenset(), compare=False)

    @classmethod
    def of(
        cls,
        *,
        limit: int,
        min_similarity: float | None,
        min_match: float | None = None,
        group_by: str | None = None,
        fold: float | None = None,
        diversity: float | None = None,
        price_band: float | None = None,
        rule_set: str = "",
    ) -> Self:
        """Return a wish. Raises ``ValueError`` for what cannot be, and says what can."""
        if limit < 0:
            raise ValueError(f"limit={limit}: 0 or more.")
        if fold is not None and not 0 < fold <= 1:
            raise ValueError(f"fold={fold}: a cosine above 0, at most 1, for example 0.97.")
        if not 0 <= (diversity or 0.0) <= 1:
            raise ValueError(f"diversity={diversity}: 0 (most similar first) to 1.")
        least = settings.min_similarity if min_similarity is None else min_similarity
        if math.isnan(least):
            raise ValueError("min_similarity=nan: 0 to 1.")
        if min_match is not None and not 0 <= min_match <= 100:
            raise ValueError(f"min_match={min_match}: a percentage, 0 to 100.")
        spread = diversity or 0.0
        return cls(limit, least, min_match, group_by or None, fold, spread, price_band, rule_set)

    def measured_by(self, scale: Scale | None) -> Self:
        """Return the wish with the similarity that its match takes; without a scale, with none."""
        if self.match is None or scale is None:
            return self
        return replace(self, least=max(self.least, similarity_at(scale, self.match)))

    def beginning_after(self, token: str | None, seeds: Iterable[Any]) -> Self:
        """Return the wish for the page after the one that gave this token.

        Raises:
            ValueError: not with ``diversity``, nor with the token of another query.
        """
        # in pairs: a band is no match
        more = {"band": self.price_band, "match": self.match, "rules": self.rule_set or None}
        told = [pair for pair in more.items() if pair[1] is not None]
        asked = (tuple(seeds), self.group_by, self.fold, self.least, *told)
        if not token:
            return replace(self, asked=asked)
        if self.diversity:
            raise ValueError(
                "after= and diversity= do not go together: what is diverse depends on all that is"
                f" shown. {COMBINATIONS}."
            )
        return replace(self, asked=asked, after=Page.read(token, _mark_of(asked)))

    @property
    def is_plain(self) -> bool:
        """Whether the most similar products are the answer, so that a stored list will do."""
        return not (self.group_by or self.fold or self.diversity)

    @property
    def needs_vectors(self) -> bool:
        """Whether candidates are compared with each other."""
        return bool(self.fold or self.diversity)

    @property
    def wanted(self) -> int:
        """How many must be chosen before it may end."""
        return self.limit * DIVERSE_AMONG if self.diversity else self.limit

    @property
    def reach(self) -> int:
        """The last place on the page."""
        return self.limit + (self.after.shown if self.after else 0)

    @property
    def first_take(self) -> int:
        """How many candidates to read at first: one more than wanted tells whether more come."""
        passed = self.after.shown + len(self.after.keys) if self.after else 0
        ahead = READ_AHEAD if self.group_by or self.fold else 1
        return self.wanted * ahead + 1 + passed

    def choose(self, candidates: Candidates) -> list[int]:
        """Return the places of those that may be shown, at most one more than wanted.

        And of all that are pinned, which come first.
        """
        return choose(candidates, self.rules, self.wanted + 1)

    @property
    def rules(self) -> Rules:
        """What may be shown beside each other, and after the pages before."""
        rules = Rules(self.least, self.fold, self.seeds, self.seed_keys)
        if self.after:
            rules = replace(
                rules,
                is_past=self.after.is_past,
                is_shown=self.after.has_shown,
                is_taken=self.after.has_group,
            )
        return rules

    def arrange(
        self, candidates: Candidates, chosen: list[int], positions: Sequence[int] = ()
    ) -> list[int]:
        """Return the places of those that are shown, in order; ``positions``: of the pinned."""
        pinned = [place for place in chosen if place < candidates.pinned]
        others = self.diverse(candidates, chosen[len(pinned) :], pinned, most=self.wanted)
        if not pinned:
            return others[: self.limit]
        shown = self.after.shown if self.after else 0
        pins = [(positions[place], place) for place in pinned]
        return placed(pins, others, shown=shown, most=self.limit)

    def diverse(
        self, candidates: Candidates, chosen: list[int], pinned: list[int], *, most: int
    ) -> list[int]:
        """Return those chosen in a diverse order, beside the pinned, of at most the first most."""
        if not self.diversity or candidates.vectors is None or not chosen:
            return chosen
        chosen = chosen[:most]
        scores = candidates.similarities if candidates.scores is None else candidates.scores
        near, vectors = scores[np.asarray(chosen)], candidates.vectors[np.asarray(chosen)]
        beside = candidates.vectors[np.asarray(pinned, dtype=int)]
        order = diversify(near, vectors, self.limit, self.diversity, beside=beside)
        return [chosen[i] for i in order]

    def next_token(
        self, shown: Iterable[tuple[Any, float, Any]], *, more: bool, keep_all: bool = False
    ) -> str | None:
        """Return the token of the page after one that shows these; None when none comes.

        Nor to a search that no ``after`` can be asked of: by a photo, or like a part of one.
        """
        if not more or self.diversity or not self.asked:
            return None
        query = _mark_of(self.asked)
        page = page_after(self.after, shown, query, keep_all=keep_all or not self.is_plain)
        return page.token if page else None


def _mark_of(asked: tuple[Any, ...]) -> str:
    """Return what stands for a query in the tokens of its pages; the order of seeds is nothing."""
    seeds, *others = asked
    return mark((sorted(map(str, seeds)), *others))
