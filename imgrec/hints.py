"""Where look-alikes are alike, in a word for shoppers: ``{% similar_products … show_why=True %}``.

A page never waits for it: it shows what is known, and leaves the rest to a worker for the next
view. What is known of a product's look-alikes is one small text in Redis.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Iterable
from typing import Any

from redis import RedisError

from imgrec import map_cache, photo_queries
from imgrec.errors import NoFeatureMap
from imgrec.mapping import explaining
from imgrec.photo_answers import WHERE, Asked
from imgrec.regions import Place
from imgrec.results import SimilarProducts
from imgrec.seen_photos import named_photos
from imgrec.spaces import SpaceDefinition, space_by_label

logger = logging.getLogger(__name__)

# What a page gives a Redis that is slow, and for how long it then does without.
PATIENCE_SECONDS = 0.2
AWAY_SECONDS = 30.0
# Nobody is asked while so many wait who want an answer.
CROWD = 4
# Photos a worker is asked about at a time: shoppers' own photos wait for no more than these.
AT_ONCE = 4

_away_until = 0.0


def places(seed: Any, found: SimilarProducts, using: str) -> dict[Any, Place]:
    """Return where in its photo each product is like the seed, by key, as far as it is known.

    One SELECT, one question to Redis. Empty where there is no Redis, or no map.
    """
    space = space_by_label(found.space)
    if space is None or not found or not map_cache.is_on() or _is_away():
        return {}
    try:
        version = explaining(space.embedder).version
        pairs = _pairs(space, seed, found, using)
        known: dict[tuple[str, str], str] = {}
        for name, digest in {own for own, _other in pairs.values()}:
            others = [other for own, other in pairs.values() if own == (name, digest)]
            known |= _known(space, version, (name, digest), others)
    except (NoFeatureMap, RedisError) as error:
        _stay_away(error)
        return {}
    told = {key: known.get((own[1], other[1]), "") for key, (own, other) in pairs.items()}
    return {key: Place(place) for key, place in told.items() if place}


def _pairs(
    space: SpaceDefinition, seed: Any, found: Iterable[Any], using: str
) -> dict[Any, tuple[tuple[str, str], tuple[str, str]]]:
    """Return name and digest of the two photos that made each product's similarity."""
    products = list(found)
    photos = named_photos(space, [space.item_key(each) for each in (seed, *products)], using)
    if not space.item:
        chosen = [(each.pk, seed.pk, each.pk) for each in products]
    else:
        chosen = [(each.pk, each.seed_photo, each.matched_photo) for each in products]
    return {
        key: (photos[own], photos[other])
        for key, own, other in chosen
        if own in photos and other in photos
    }


def _known(
    space: SpaceDefinition, version: str, own: tuple[str, str], others: list[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    redis = photo_queries._redis(PATIENCE_SECONDS)
    places = map_cache.places_of(redis, version, own[1])
    missing = [other for other in others if other[1] not in places]
    if missing and redis.llen(photo_queries.QUEUE) < CROWD:
        asked = Asked(secrets.token_urlsafe(24), space.label, WHERE)
        photo_queries.leave(redis, asked, json.dumps([own, missing[:AT_ONCE]]).encode())
    return {(own[1], digest): place for digest, place in places.items()}


def _is_away() -> bool:
    return time.monotonic() < _away_until


def _stay_away(error: Exception) -> None:
    global _away_until
    if isinstance(error, RedisError):
        _away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("imgrec: where products are similar: %s", error)
