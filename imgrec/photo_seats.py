"""How many shoppers' photos are looked at, at once and a minute, whoever asks.

A page that waits for a worker holds a thread of the web server, and who asks can be forged: so
these are the shop's own bounds, counted in Redis for all web processes together.
"""

from __future__ import annotations

from typing import Any

from imgrec.conf import settings

WAITING = "imgrec:photos:waiting"
STARTED = "imgrec:photos:started"
MINUTE_MS = 60_000
# After this much longer than it may wait, a web process was killed before it left.
GRACE_SECONDS = 2.0

# By Redis' own clock, and in one step, or two who ask at the same time would both get the last.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local token, at_once, a_minute, keep = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[5]))
if at_once > 0 and redis.call('ZCARD', KEYS[1]) >= at_once then return 0 end
if a_minute > 0 and redis.call('ZCARD', KEYS[2]) >= a_minute then return 0 end
redis.call('ZADD', KEYS[1], now + keep, token)
redis.call('PEXPIRE', KEYS[1], keep)
if a_minute > 0 then
  redis.call('ZADD', KEYS[2], now, token)
  redis.call('PEXPIRE', KEYS[2], ARGV[5])
end
return 1
"""


def take(redis: Any, token: str) -> bool:
    """Take one of ``photo_at_once`` seats; return False when there is none, or none this minute."""
    keep = int(1000 * (settings.photo_wait_seconds + GRACE_SECONDS))
    bounds = (settings.photo_at_once, settings.photo_per_minute, keep, MINUTE_MS)
    return bool(redis.eval(_TAKE, 2, WAITING, STARTED, token, *bounds))


def leave(redis: Any, token: str) -> None:
    """Give the seat back."""
    redis.zrem(WAITING, token)
