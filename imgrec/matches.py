"""Similarity as a percentage that means the same in every category: ``.match`` of a result.

The scales are kept in the process for a minute: a page that asks for matches costs no statement
more than one that does not, and one that does not never reads them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

import numpy as np
from django.db import models

from imgrec.categories import category_of, path_of
from imgrec.models import MatchScale
from imgrec.percentiles import Scale, percentile_of
from imgrec.results import SimilarProducts
from imgrec.served import served_version
from imgrec.spaces import SpaceDefinition

KEPT_SECONDS = 60.0
# Paths over several tables: more of their answers are not kept.
MOST = 2_000


@dataclass(frozen=True)
class _Kept:
    """A space's scales by category, as read at a moment."""

    read_at: float
    path: str
    scales: dict[str, Scale]


_kept: dict[tuple[str, str], _Kept] = {}
_categories: dict[tuple[str, object, str], tuple[float, str]] = {}


def scale_for(space: SpaceDefinition, items: Sequence[models.Model], using: str) -> Scale | None:
    """Return the scale of the category all these products are in, else of the whole catalogue.

    None before a worker has calibrated the version that is served.
    """
    kept = _read(space, using)
    named = {_category(kept.path, item, using) for item in items} if len(kept.scales) > 1 else set()
    category = named.pop() if len(named) == 1 else ""
    return kept.scales.get(category, kept.scales.get(""))


def scales_of(space: SpaceDefinition, using: str) -> dict[str, Scale]:
    """Return the scale of each category that has one; ``""``: of the whole catalogue."""
    return _read(space, using).scales


def note(found: SimilarProducts, scale: Scale | None) -> SimilarProducts:
    """Set ``.match`` of each product: whole percents, rounded down; None without a scale."""
    for product in found:
        told = None if scale is None else math.floor(percentile_of(scale, product.similarity))
        product.match = told
    return found


def forget() -> None:
    """Read the scales again when next asked."""
    _kept.clear()
    _categories.clear()


def _read(space: SpaceDefinition, using: str) -> _Kept:
    now, path, name = monotonic(), path_of(space), (space.label, using)
    kept = _kept.get(name)
    if kept is None or kept.path != path or now - kept.read_at > KEPT_SECONDS:
        rows = MatchScale.objects.using(using).filter(
            space=space.label, version=served_version(space), path=path
        )
        pairs = rows.values_list("category", "quantiles")
        kept = _Kept(now, path, {name: np.asarray(scale) for name, scale in pairs})
        _kept[space.label, using] = kept
    return kept


def _category(path: str, item: models.Model, using: str) -> str:
    """Return a product's category; one that is further away is looked up once a minute."""
    first, _, rest = path.partition("__")
    if not rest:
        return category_of(path, item, using)
    field = item._meta.get_field(first)
    name = (item._meta.label, getattr(item, field.attname), path)  # type: ignore[union-attr]
    known = _categories.get(name)
    if known is None or monotonic() - known[0] > KEPT_SECONDS:
        if len(_categories) >= MOST:
            _categories.clear()
        known = _categories[name] = monotonic(), category_of(path, item, using)
    return known[1]
