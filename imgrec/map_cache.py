"""Maps of features kept in Redis, so that the same photo is not looked at twice.

At most ``map_cache_photos`` of them, each for ``map_cache_seconds``: 2 bytes a number are 50 KB a
photo with ResNet-18 and 125 KB with EfficientNet-Lite0. By the photo's content and the encoder's
version: a changed photo or a new encoder finds nothing of the old.
"""

from __future__ import annotations

from typing import Any

from imgrec.conf import settings
from imgrec.feature_maps import FeatureMap

KEYS = "imgrec:maps"  # of all that are kept, by the time they were
_MAP = "imgrec:map:"

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


def name_of(version: str, digest: str) -> str:
    """Return the key of a photo's map; ``digest``: the sha256 of its file."""
    return f"{_MAP}{version}:{digest}"


def keep(redis: Any, name: str, found: FeatureMap) -> None:
    """Keep a map, and let go of the oldest beyond what may be kept."""
    seconds, most = settings.map_cache_seconds, settings.map_cache_photos
    if seconds and most:
        redis.eval(_KEEP, 2, name, KEYS, found.to_bytes(), seconds, most)


def get(redis: Any, name: str) -> FeatureMap | None:
    """Return the map that is kept under a name, or None."""
    data = redis.get(name)
    try:
        return FeatureMap.from_bytes(data) if data else None
    except (ValueError, KeyError, TypeError):  # of another version of imgrec
        return None
