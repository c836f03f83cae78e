"""Why a result is similar, as JSON for staff."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models
from rest_framework.request import Request

from imgrec.conf import settings
from imgrec.errors import ImgrecError
from imgrec.spaces import SpaceDefinition
from imgrec.why import ExplainedPhoto, Explanation, explain


def for_staff(request: Request) -> None:
    """Let staff alone ask for explanations.

    Raises:
        PermissionDenied: by somebody who is not staff. They tell how the shop ranks.
    """
    if not getattr(request.user, "is_staff", False):
        raise PermissionDenied


def explanations(
    seed: models.Model, products: Iterable[models.Model], space: SpaceDefinition | None
) -> dict[Any, dict[str, Any] | None]:
    """Return an explanation for each product by its key; None for those there was no time for.

    Once ``photo_wait_seconds`` are over, no more are begun: ask again, maps are kept.
    """
    until = time.monotonic() + settings.photo_wait_seconds
    return {each.pk: _one(seed, each, space, until) for each in products}


def _one(
    seed: models.Model, product: models.Model, space: SpaceDefinition | None, until: float
) -> dict[str, Any] | None:
    if time.monotonic() > until:
        return None
    try:
        found = explain(seed, product, space=space)
    except ImgrecError:
        return None
    return _as_json(found) if found else None


def _as_json(found: Explanation) -> dict[str, Any]:
    return {
        "similarity": round(found.similarity, 6),
        "rank": found.rank,
        "cosine": round(found.cosine, 6),
        "distance": round(found.distance, 6),
        "is_fitted": found.is_fitted,
        "seed_photo": _photo(found.photo),
        "matched_photo": _photo(found.other_photo),
    }


def _photo(photo: ExplainedPhoto) -> dict[str, Any]:
    return {
        "key": photo.key,
        "seen": [round(each, 4) for each in photo.seen.as_tuple()],
        "cells": [[round(float(each), 6) for each in row] for row in photo.cells],
        "regions": [
            {"place": str(each.place.value), "share": round(each.share, 4), "area": each.area}
            for each in photo.regions
        ],
    }
