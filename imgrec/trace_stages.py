"""The rank of each product after each step of a list."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from imgrec import steered
from imgrec.arranging import choose, placed
from imgrec.live import similarity_of
from imgrec.pool import Candidate
from imgrec.trace_reads import Reads
from imgrec.trace_reasons import Why
from imgrec.visibility import recommendable, visible

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


class Stages(Reads):
    """``orders``: what is left of the nearest after the first steps, ``stages``: after the last."""

    filters: dict[str, set[Any]]
    orders: dict[str, list[Any]]
    stages: dict[str, list[Any]]

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
