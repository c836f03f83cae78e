"""Maps of features kept in Redis, so that the same photo is not looked at twice.

At most ``map_cache_photos`` of them, each for ``map_cache_seconds``: 2 bytes a number are 50 KB a
photo with ResNet-18 and 125 KB with EfficientNet-Lite0. By the photo's content and the encoder's
version: a changed photo or a new encoder finds nothing of the old.
"""

from __future__ import annotations

import json
from typing import Any

from imgrec.conf import redis_url, settings
from imgrec.feature_maps import FeatureMap

KEYS = "imgrec:maps"  # of all that are kept, by the time they were
_MAP = "imgrec:map:"
# Where a photo's look-alikes are like it: a text of at most MOST_PLACES for each photo.
_PLACES_KEYS = "imgrec:wheres"
_PLACES = "imgrec:where:"
MOST_PLACES = 96
# So many such texts are kept for each map that may be: they are a hundredth of its size.
TEXTS_A_MAP = 25

# In one step: two workers that keep one at the same time must not both count without the other's.
_KEEP = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
redis.call('ZADD', KEYS[2], now, KEYS[1])
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 1000 * ARGV[2])
local many = redis.call('ZCARD', KEYS[2]) - ARGV[3]
if many > 0 then
  for _, old in ipairs(redis.call('ZRANGE', KEYS[2], 0, many - 1)) do redis.call('DEL', old) end
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, many - 1)
end
"""


def is_on() -> bool:
    """Return whether anything may be kept, and there is a Redis to keep it."""
    return bool(settings.map_cache_seconds and settings.map_cache_photos and redis_url())


def name_of(version: str, digest: str) -> str:
    """Return the key of a photo's map; ``digest``: the sha256 of its file."""
    return f"{_MAP}{version}:{digest}"


def keep(redis: Any, name: str, found: FeatureMap) -> None:
    """Keep a map, and let go of the oldest beyond what may be kept."""
    _keep(redis, name, KEYS, found.to_bytes(), settings.map_cache_photos)


def get(redis: Any, name: str) -> FeatureMap | None:
    """Return the map that is kept under a name, or None."""
    data = redis.get(name)
    try:
        return FeatureMap.from_bytes(data) if data else None
    except (ValueError, KeyError, TypeError):  # of another version of imgrec
        return None


def places_of(redis: Any, version: str, digest: str) -> dict[str, str]:
    """Return where photos are like the one of that digest, by theirs; "" where nothing stands out.

    Only of those a worker has looked at.
    """
    data = redis.get(f"{_PLACES}{version}:{digest}")
    found: dict[str, str] = json.loads(data) if data else {}
    return found


def keep_places(redis: Any, version: str, digest: str, places: dict[str, str]) -> None:
    """Add to what :func:`places_of` returns; the oldest of too many go."""
    every = {**places_of(redis, version, digest), **places}
    newest = dict(list(every.items())[-MOST_PLACES:])
    most = TEXTS_A_MAP * settings.map_cache_photos
    name = f"{_PLACES}{version}:{digest}"
    _keep(redis, name, _PLACES_KEYS, json.dumps(newest).encode(), most)


def _keep(redis: Any, name: str, names: str, data: bytes, most: int) -> None:
    if settings.map_cache_seconds and most:
        redis.eval(_KEEP, 2, name, names, data, settings.map_cache_seconds, most)
