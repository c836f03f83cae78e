"""What the shop itself calls its products: any column, also one over foreign keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from imgrec.evaluation import metrics
from imgrec.evaluation.metrics import Flags, Floats, Places
from imgrec.evaluation.ranked import Ranked
from imgrec.paths import check_path
from imgrec.spaces import SpaceDefinition
from imgrec.visibility import item_path


@dataclass(frozen=True)
class Labelled:
    """Lists judged by a label.

    ``names``: the label of every item, "" without one (m). ``hits``: results with the label of
    the item asked (n, k). ``average_precision``: of each list (n), NaN where no other item that
    may be shown has the label.
    """

    path: str
    names: list[str]
    hits: Flags
    average_precision: Floats
    first: Floats
    precision: Floats

    def figures(self) -> dict[str, Any]:
        """Return the means over the lists that could have been right."""
        judged = ~np.isnan(self.average_precision)
        return {
            "label": self.path,
            "judged": int(judged.sum()),
            "map": metrics.mean(self.average_precision),
            "precision": metrics.mean(np.where(judged, self.precision, np.nan)),
            "recall_at_1": metrics.mean(self.first),
        }


def labels_of(space: SpaceDefinition, path: str) -> dict[Any, str]:
    """Return the label of each item by key, as text; those without one are left out.

    Args:
        path: ``"category"``, or over foreign keys ``"category__name"``.

    Raises:
        ValueError: it is no column; names those there are.
    """
    check_path(space.item_model, path, option="--label ")
    rows = space.item_model._base_manager.using(space.using).order_by()
    found = rows.values_list(item_path(space), path).iterator(10_000)
    return {key: str(value) for key, value in found if value not in (None, "")}


def judge(ranked: Ranked, allowed: Places, path: str, labels: Mapping[Any, str]) -> Labelled:
    """Judge lists by these labels.

    Args:
        allowed: places of the items that may be in a list.
    """
    names = [labels.get(key, "") for key in ranked.items.tolist()]
    codes = coded(names)
    hits = metrics.relevant(ranked.places, ranked.own, codes)
    possible = rivals(codes, ranked.own, allowed)
    precision = metrics.precision(hits, ranked.places)
    scores = metrics.average_precision(hits, possible)
    return Labelled(path, names, hits, scores, metrics.first_hits(hits, possible), precision)


def coded(names: list[str]) -> Places:
    """Return a number for each name, the same for the same; -1 for ""."""
    numbers = {name: number for number, name in enumerate(sorted(set(names) - {""}))}
    return np.array([numbers.get(name, -1) for name in names], dtype=np.intp)


def rivals(codes: Places, own: Places, allowed: Places) -> Places:
    """Return how many items other than itself could be a hit in the list of each asked item."""
    if not len(codes):
        return np.zeros(len(own), np.intp)
    counts = np.bincount(codes[allowed] + 1, minlength=int(codes.max()) + 2)
    counts[0] = 0  # items without a label
    found: Places = counts[codes[own] + 1] - np.isin(own, allowed)
    return np.maximum(found, 0)


def by_label(labelled: Labelled, own: Places) -> list[tuple[str, int, float]]:
    """Return each label with the number of lists judged and their mAP, the worst first."""
    scores: dict[str, list[float]] = {}
    for place, score in zip(own.tolist(), labelled.average_precision.tolist(), strict=True):
        if score == score:  # not NaN
            scores.setdefault(labelled.names[place], []).append(score)
    found = [(name, len(each), sum(each) / len(each)) for name, each in scores.items()]
    return sorted(found, key=lambda each: (each[2], each[0]))
