"""What a worker answers about a photo that somebody waits for; never raises for the photo's sake.

A line of JSON: the ``vector`` of a shopper's photo or of a part of it, or an ``error``. Of a photo
of the catalogue its map of features, whose numbers come after the line.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from imgrec import encoding, files, map_cache
from imgrec.boxes import Box, weights
from imgrec.conf import settings
from imgrec.errors import ImgrecError, NoFeatureMap, NothingSeen, PictureError, WeightsUnavailable
from imgrec.feature_maps import FeatureMap, contributions
from imgrec.mapping import explaining, map_of, query_of
from imgrec.reasons import Reason
from imgrec.regions import strongest
from imgrec.spaces import SpaceDefinition, space_by_label
from imgrec.topk import Matrix
from imgrec.watchdog import watched

Photo = tuple[str, str]  # its name in the storage, the sha256 of its file

logger = logging.getLogger(__name__)

MAP = "map"
WHERE = "where"


@dataclass(frozen=True)
class Asked:
    """Whose vector or map is waited for: a line of text in the queue."""

    token: str
    label: str
    # "": the vector; "map": of the file named; "where": nobody waits, it is kept for the next who
    # look; else the vector of this part
    what: str = ""

    @classmethod
    def parse(cls, line: str) -> Asked:
        """Read such a line; of nonsense, something that nobody waits for."""
        token, _space, rest = line.partition(" ")
        label, _space, what = rest.partition(" ")
        return cls(token, label, what)

    def __str__(self) -> str:
        return f"{self.token} {self.label} {self.what}".strip()


def answer(redis: Any, asked: Asked, data: bytes) -> bytes:
    """Return what to tell of a shopper's photo, or of the one in the storage that is named."""
    space = space_by_label(asked.label)
    if space is None:
        return _error(Reason.EMBEDDER_FAILED)
    try:
        with watched():
            if asked.what == MAP:
                return _map(redis, space, data.decode())
            if asked.what == WHERE:
                return _where(redis, space, *json.loads(data))
            return _vector(space, data, asked.what)
    except (PictureError, NoFeatureMap, NothingSeen) as error:
        return _error(error.code)
    except WeightsUnavailable as error:
        logger.error("imgrec: search by photo: %s", error)
        return _error(error.code)
    except Exception:  # broad: an encoder is anybody's code, and the shopper must get an answer
        logger.exception("imgrec: search by photo")
        return _error(Reason.EMBEDDER_FAILED)


def raise_for(code: str) -> None:
    """Raise what an answer's ``error`` stands for."""
    ours: dict[str, type[ImgrecError]] = {each.code: each for each in (NoFeatureMap, NothingSeen)}
    if code in ours:
        raise ours[code]
    raise PictureError(Reason(code))


def _map(redis: Any, space: SpaceDefinition, name: str) -> bytes:
    return _made(redis, space, name).to_bytes()


def _made(redis: Any, space: SpaceDefinition, name: str) -> FeatureMap:
    data = files.read(space, name)
    found = map_of(space.embedder, data)
    version = explaining(space.embedder).version
    map_cache.keep(redis, map_cache.name_of(version, sha256(data).hexdigest()), found)
    return found


def _where(redis: Any, space: SpaceDefinition, own: Photo, others: list[Photo]) -> bytes:
    """Keep where some photos are like one; of one that cannot be had, that nothing stands out."""
    version = explaining(space.embedder).version
    seed = _kept_or_made(redis, space, version, own)
    places = {}
    for other in others:
        try:
            found = _kept_or_made(redis, space, version, other)
        except PictureError:
            places[other[1]] = ""
            continue
        regions = strongest(contributions(found, seed), found.seen)
        places[other[1]] = str(regions[0].place.value) if regions else ""
    map_cache.keep_places(redis, version, own[1], places)
    return b"{}"


def _kept_or_made(redis: Any, space: SpaceDefinition, version: str, photo: Photo) -> FeatureMap:
    name, digest = photo
    kept = map_cache.get(redis, map_cache.name_of(version, digest))
    return kept or _made(redis, space, name)


def _vector(space: SpaceDefinition, data: bytes, part: str) -> bytes:
    vector = _of_part(space, data, part) if part else _of_photo(space, data)
    if not np.isfinite(vector).all() or not vector.any():
        return _error(Reason.NO_FEATURES)
    return json.dumps({"vector": [round(float(x), 6) for x in vector]}).encode()


def _of_photo(space: SpaceDefinition, data: bytes) -> Matrix:
    inputs = encoding.decode(space.embedder, data, max_bytes=settings.max_upload_bytes)
    found: Matrix = encoding.embed(space.embedder, [inputs])[0]
    return found


def _of_part(space: SpaceDefinition, data: bytes, part: str) -> Matrix:
    found = map_of(space.embedder, data, max_bytes=settings.max_upload_bytes)
    chosen = weights(Box.parse(part), found.seen, *found.features.shape[:2])
    return query_of(space.embedder, found.mean_of(chosen))


def _error(code: str) -> bytes:
    return json.dumps({"error": code}).encode()
