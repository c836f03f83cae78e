"""From a photo's bytes to its map of features, and from some of its cells to a query."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgrec.boxes import Box
from imgrec.embedders import Embedder, Fitted, Mapped
from imgrec.embedders.normalising import normalise
from imgrec.encoding import decode_sized
from imgrec.errors import NoFeatureMap, PictureError
from imgrec.feature_maps import FeatureMap
from imgrec.reasons import Reason
from imgrec.topk import Matrix


def explaining(embedder: Embedder) -> Mapped:
    """Return the encoder that explains: itself, of a fitted one the one it looks with.

    Raises:
        NoFeatureMap: it has no map.
    """
    looking = embedder.encoder if isinstance(embedder, Fitted) else embedder
    if not isinstance(looking, Mapped):
        raise NoFeatureMap
    return looking


def map_of(embedder: Embedder, data: bytes, *, max_bytes: int | None = None) -> FeatureMap:
    """Return the map of a photo; runs the network, so for workers only.

    Raises ``PictureError``, ``WeightsUnavailable``, ``NoFeatureMap``.
    """
    looking = explaining(embedder)
    inputs, (width, height) = decode_sized(looking, data, max_bytes=max_bytes)
    features: Any = looking.feature_map([inputs])[0]
    if not np.isfinite(features).all() or not features.any():
        raise PictureError(Reason.NO_FEATURES)
    return FeatureMap(features.astype(np.float16), Box(*looking.seen(width, height)))


def query_of(embedder: Embedder, mean: NDArray[np.float64]) -> Matrix:
    """Return the unit vector in the encoder's space, (dimensions,), of a mean of cells.

    Of a fitted one reads the projection. Raises ``PictureError`` when there is nothing in it.
    """
    rows = normalise(mean[None])
    if isinstance(embedder, Fitted):
        rows = embedder.project(rows)
    if not np.isfinite(rows).all():
        raise PictureError(Reason.NO_FEATURES)
    found: Matrix = rows[0]
    return found
