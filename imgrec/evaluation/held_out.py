"""Does a fitted projection help here? Judged on products that it was not fitted on, too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from imgrec import fitting
from imgrec.evaluation import labels, measuring, metrics, ranked
from imgrec.evaluation.measuring import Catalogue
from imgrec.evaluation.metrics import Floats
from imgrec.evaluation.ranked import Watch
from imgrec.reading import Vectors
from imgrec.spaces import SpaceDefinition
from imgrec.topk import group_starts

FOLDS = 5


def compare(
    space: SpaceDefinition,
    label: str,
    *,
    k: int,
    dimensions: int,
    whitening: float,
    watch: Watch = lambda done: None,
) -> dict[str, float]:
    """Return mAP@k of the space as it is, fitted on all, and fitted without those that ask.

    The last is cross-validated: each fifth of the products asks in the space that was fitted on
    the other four. ``watch`` is told how many fifths are done.

    Raises:
        ValueError: the label is no column, or there are too few vectors.
    """
    catalogue = measuring.read(space, None)
    names = labels.labels_of(space, label)
    items, starts = group_starts(catalogue.vectors.items)
    sizes = np.diff([*starts, len(catalogue.vectors)])
    fold_of = np.random.default_rng(0).permutation(len(items)) % FOLDS
    own_fold = np.repeat(fold_of, sizes)
    known = set(items.tolist())
    asked = {key for key in catalogue.asked if key in known}

    def score(part: Catalogue) -> Floats:
        lists = ranked.rank(part.vectors, part.asked, part.allowed, k)
        allowed = measuring.places_of(lists, part.allowed)
        return labels.judge(lists, allowed, label, names).average_precision

    def fitted(rows: Vectors) -> Vectors:
        projection = fitting.fit([rows.matrix], dimensions, whitening).projection
        return Vectors(catalogue.vectors.items, projection(catalogue.vectors.matrix))

    found = {
        "plain": metrics.mean(score(catalogue)),
        "fitted": metrics.mean(score(replace(catalogue, vectors=fitted(catalogue.vectors)))),
    }
    scores = []
    for fold in range(FOLDS):
        others = own_fold != fold
        rest = Vectors(catalogue.vectors.items[others], catalogue.vectors.matrix[others])
        keys = [key for key in items[fold_of == fold].tolist() if key in asked]
        scores.append(score(replace(catalogue, vectors=fitted(rest), asked=keys)))
        watch(fold + 1)
    found["held_out"] = metrics.mean(np.concatenate(scores))
    return {name: value for name, value in found.items() if value is not None}
