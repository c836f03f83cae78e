"""What similarity is usual: measured on pairs of the shop's own products, by category.

A second of work for a worker, which does it when a space has no scales yet, when they are a week
old, and before another version of the encoder is served.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from imgrec import percentiles, reading
from imgrec.categories import as_text, path_of
from imgrec.locks import advisory_lock
from imgrec.models import MatchScale, Space
from imgrec.percentiles import Scale
from imgrec.spaces import SpaceDefinition
from imgrec.topk import group_starts

LOCK = "imgrec.calibrating"
GOOD_FOR = timedelta(days=7)
# Products drawn of each category: all pairs among 200 are 19,900, among 2,000 two million.
LEAST_DRAWN, MOST_DRAWN, DRAWN_ALTOGETHER = 200, 2_000, 20_000


@dataclass(frozen=True)
class Calibration:
    """Of one space: products that were drawn, and categories that have a scale of their own."""

    products: int
    categories: int


@dataclass(frozen=True)
class _Drawn:
    """A category's own scale, how many products it was measured on and how many it has."""

    scale: Scale
    products: int
    of: int


def calibrate(space: SpaceDefinition, version: str = "", *, seed: int = 0) -> Calibration:
    """Measure a version's scales (default: the one served) and keep them.

    Memory: the key of every product, and the vectors of one category's sample.
    """
    version = version or served_version(space)
    with transaction.atomic(using=space.using):
        advisory_lock(space, LOCK, wait=True)
        return _calibrate(space, version, seed)


def _calibrate(space: SpaceDefinition, version: str, seed: int) -> Calibration:
    members = _members(space, version)
    most = min(MOST_DRAWN, max(LEAST_DRAWN, DRAWN_ALTOGETHER // max(1, len(members))))
    random = np.random.default_rng(seed)
    drawn: dict[str, _Drawn] = {}
    for category in sorted(members):
        keys = members.pop(category)
        chosen = [keys[place] for place in random.permutation(len(keys))[:most]]
        found = _measured(space, version, chosen, len(keys))
        if found:
            drawn[category] = found
    _keep(space, version, drawn)
    return Calibration(sum(each.products for each in drawn.values()), len(drawn.keys() - {""}))


def keep_fresh(space: SpaceDefinition) -> bool:
    """Calibrate where that is due; return whether it was. One SELECT where it is not."""
    version = served_version(space)
    if not version or not is_due(space, version):
        return False
    with transaction.atomic(using=space.using):
        if not advisory_lock(space, LOCK):
            return False  # another worker is at it
        _calibrate(space, version, 0)
    return True


def is_due(space: SpaceDefinition, version: str) -> bool:
    """Return whether there is no scale of this version and path, or only old ones."""
    fresh = Q(path=path_of(space), calibrated_at__gt=Now() - GOOD_FOR)
    return not rows_of(space).filter(fresh, version=version, category="").exists()


def served_version(space: SpaceDefinition) -> str:
    """Return the version shoppers see, ``""`` before there is one."""
    rows = Space.objects.using(space.using).filter(label=space.label)
    return rows.values_list("served_version", flat=True).first() or ""


def rows_of(space: SpaceDefinition) -> Any:
    """Return the scales of a space."""
    return MatchScale.objects.using(space.using).filter(space=space.label)


def _members(space: SpaceDefinition, version: str) -> dict[str, list[Any]]:
    """Return the keys of the products that have a vector, by category."""
    path, column = path_of(space), space.item_column
    vectors = space.embedding_model.objects.using(space.using).filter(
        version=version, **{f"{column}__isnull": False}
    )
    columns = [column, f"{column}__{path}"] if path else [column]
    found: dict[str, list[Any]] = defaultdict(list)
    for key, *category in vectors.order_by(column).values_list(*columns).distinct().iterator():
        found[as_text(*category) if category else ""].append(key)
    return found


def _measured(space: SpaceDefinition, version: str, keys: list[Any], of: int) -> _Drawn | None:
    vectors = reading.read(space, version, keys)
    items, starts = group_starts(vectors.items)
    if len(items) < 2:
        return None
    pairs = percentiles.between_items(vectors.matrix, starts)
    return _Drawn(percentiles.scale_of(pairs), len(items), of)


def _keep(space: SpaceDefinition, version: str, drawn: dict[str, _Drawn]) -> None:
    """Replace the version's scales; those of versions long gone go, too.

    Products without a category say what is usual in the whole, not in a category.
    """
    known = {version, served_version(space), space.embedder.version}
    rows_of(space).filter(Q(version=version) | ~Q(version__in=known)).delete()
    if not drawn:
        return
    values = list(drawn.values())
    whole = percentiles.mixed([each.scale for each in values], [each.of for each in values])
    scales = {"": (whole, sum(each.of for each in values))} | {
        category: (percentiles.believed(each.scale, whole, each.products), each.of)
        for category, each in drawn.items()
        if category
    }
    MatchScale.objects.using(space.using).bulk_create(
        MatchScale(
            space=space.label,
            version=version,
            path=path_of(space),
            category=category,
            quantiles=scale.round(6).tolist(),
            products=products,
        )
        for category, (scale, products) in scales.items()
    )
