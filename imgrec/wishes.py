"""What a caller asks for beside the seed, checked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from imgrec.arranging import Candidates, Rules, choose, diversify
from imgrec.conf import settings
from imgrec.paging import Page, mark, page_after
from imgrec.percentiles import Scale, similarity_at
from imgrec.topk import Matrix

# For diversity: how many candidates there are to choose from, for each product shown.
DIVERSE_AMONG = 8
# How many candidates are read at first, for each product shown, where some will be left out.
READ_AHEAD = 4

COMBINATIONS = (
    "limit=, among=, min_similarity=, min_match=, less_like=, group_by= and fold= go together, and"
    " with either after= or diversity="
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
    query: str = ""
    after: Page | None = None
    seeds: Matrix | None = field(default=None, compare=False)  # to fold by

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
        return cls(limit, least, min_match, group_by or None, fold, diversity or 0.0)

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
        asked = (sorted(map(str, seeds)), self.group_by, self.fold, self.least)
        query = mark(asked if self.match is None else (*asked, self.match))
        if not token:
            return replace(self, query=query)
        if self.diversity:
            raise ValueError(
                "after= and diversity= do not go together: what is diverse depends on all that is"
                f" shown. {COMBINATIONS}."
            )
        return replace(self, query=query, after=Page.read(token, query))

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
    def first_take(self) -> int:
        """How many candidates to read at first: one more than wanted tells whether more come."""
        passed = self.after.shown + len(self.after.keys) if self.after else 0
        ahead = READ_AHEAD if self.group_by or self.fold else 1
        return self.wanted * ahead + 1 + passed

    def choose(self, candidates: Candidates) -> list[int]:
        """Return the places of those that may be shown, at most one more than wanted."""
        rules = Rules(least=self.least, fold=self.fold, seeds=self.seeds)
        if self.after:
            rules = replace(
                rules,
                is_past=self.after.is_past,
                is_shown=self.after.has_shown,
                is_taken=self.after.has_group,
            )
        return choose(candidates, rules, self.wanted + 1)

    def arrange(self, candidates: Candidates, chosen: list[int]) -> list[int]:
        """Return the places of those that are shown, in order."""
        if not self.diversity or candidates.vectors is None or not chosen:
            return chosen[: self.limit]
        chosen = chosen[: self.wanted]
        places = np.asarray(chosen)
        near, vectors = candidates.similarities[places], candidates.vectors[places]
        return [chosen[i] for i in diversify(near, vectors, self.limit, self.diversity)]

    def next_token(self, shown: Iterable[tuple[Any, float, Any]], *, more: bool) -> str | None:
        """Return the token of the page after one that shows these; None when none comes."""
        if not more or self.diversity:
            return None
        page = page_after(self.after, shown, self.query, keep_all=not self.is_plain)
        return page.token if page else None


def check_path(model: type[models.Model], path: str, *, option: str = "group_by=") -> None:
    """Raise ``ValueError`` unless a path leads over the item's own columns and forward keys."""
    here: Any = model
    for name in path.split("__"):
        try:
            found = here._meta.get_field(name) if here else None
        except FieldDoesNotExist:
            found = None
        if found is None or not getattr(found, "concrete", False) or found.many_to_many:
            fields = here._meta.concrete_fields if here else []
            known = ", ".join(each.name for each in fields) or "nothing further"
            raise ValueError(
                f"{option}{path!r}: {name!r} is no column of {model._meta.label}, nor one over a"
                f" foreign key of its. There: {known}."
            )
        here = found.related_model if found.is_relation else None
