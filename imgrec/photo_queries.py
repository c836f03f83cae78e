"""Shoppers' photos on their way to a worker and back, through Redis.

The web process never embeds: it leaves the bytes under a random key for 30 seconds, and
waits on a list for the vector. Any worker answers, also between two batches of a reindex and
while it waits for a slow storage, so a shopper waits for one batch at most. Nothing is written
to disk.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from functools import lru_cache
from typing import Any

import numpy as np
from redis import Redis, RedisError

from imgrec import encoding, photo_seats
from imgrec.conf import redis_url, settings
from imgrec.errors import PhotoSearchUnavailable, PictureError, WeightsUnavailable
from imgrec.images import check_header
from imgrec.poke import poke
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition, space_by_label
from imgrec.topk import Matrix
from imgrec.watchdog import watched

logger = logging.getLogger(__name__)

QUEUE = "imgrec:photos"
KEEP_SECONDS = 30
AT_ONCE = 8
# A Redis that is away is left alone for so long: to wait for a silent one between all batches
# would make an import last many times as long, and the log as well.
AWAY_SECONDS = 2.0


@lru_cache(maxsize=4)
def _connect(url: str, timeout: float) -> Any:
    return Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout)


def _redis(timeout: float) -> Any:
    return _connect(redis_url(), timeout)


def is_on() -> bool:
    """Return whether shoppers may search by a photo, and there is a Redis to carry it."""
    return settings.photo_search and bool(redis_url())


def ask(space: SpaceDefinition, data: bytes) -> Matrix:
    """Have a worker embed a photo; return its vector, shape (dimensions,).

    Raises:
        PictureError: the photo cannot be used; judged from its header here, by a worker after.
        PhotoSearchUnavailable: switched off, no answer within ``photo_wait_seconds``, or too
            many ask (``photo_at_once``, ``photo_per_minute``).
    """
    if not is_on():
        raise PhotoSearchUnavailable("off")
    check_header(data, max_bytes=settings.max_upload_bytes)
    token = secrets.token_urlsafe(24)
    redis = _redis(settings.photo_wait_seconds + 1)
    try:
        if not photo_seats.take(redis, token):
            raise PhotoSearchUnavailable("busy")
        try:
            answer = _wait(redis, token, space, data)
        finally:
            photo_seats.leave(redis, token)
    except RedisError as error:
        logger.warning("imgrec: search by photo: %s", error)
        raise PhotoSearchUnavailable("no_answer") from error
    return _understand(answer)


def _wait(
    redis: Any, token: str, space: SpaceDefinition, data: bytes
) -> tuple[bytes, bytes] | None:
    with redis.pipeline() as pipe:
        pipe.set(f"imgrec:photo:{token}", data, ex=KEEP_SECONDS)
        pipe.lpush(QUEUE, f"{token} {space.label}")
        pipe.expire(QUEUE, KEEP_SECONDS)
        pipe.execute()
    poke("imgrec.answer_photos")
    answer: tuple[bytes, bytes] | None = redis.blpop(
        [f"imgrec:answer:{token}"], timeout=settings.photo_wait_seconds
    )
    if answer is None:
        redis.delete(f"imgrec:photo:{token}")
    return answer


def _understand(answer: tuple[bytes, bytes] | None) -> Matrix:
    if answer is None:
        raise PhotoSearchUnavailable("no_answer")
    said = json.loads(answer[1])
    if "error" in said:
        if said["error"] in (Reason.WEIGHTS_UNAVAILABLE, Reason.EMBEDDER_FAILED):
            raise PhotoSearchUnavailable("no_answer")
        raise PictureError(Reason(said["error"]))
    return np.asarray(said["vector"], dtype=np.float32)


_away_until = 0.0


def answer_waiting() -> int:
    """In a worker: embed the photos that wait; return how many. Redis being away is no error."""
    global _away_until
    if not is_on() or time.monotonic() < _away_until:
        return 0
    answered = 0
    try:
        redis = _redis(settings.broker_timeout_seconds)
        while answered < AT_ONCE and (asked := redis.rpop(QUEUE)):
            token, _space, label = asked.decode().partition(" ")
            data = redis.getdel(f"imgrec:photo:{token}")
            if data is None:
                continue  # nobody waits any more
            with redis.pipeline() as pipe:
                pipe.rpush(f"imgrec:answer:{token}", json.dumps(_answer(label, data)))
                pipe.expire(f"imgrec:answer:{token}", KEEP_SECONDS)
                pipe.execute()
            answered += 1
    except RedisError as error:
        _away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("imgrec: search by photo: %s", error)
    return answered


def _answer(label: str, data: bytes) -> dict[str, object]:
    space = space_by_label(label)
    if space is None:
        return {"error": Reason.EMBEDDER_FAILED}
    try:
        with watched():
            inputs = encoding.decode(space.embedder, data, max_bytes=settings.max_upload_bytes)
            vector = encoding.embed(space.embedder, [inputs])[0]
    except PictureError as error:
        return {"error": error.code}
    except WeightsUnavailable as error:
        logger.error("imgrec: search by photo: %s", error)
        return {"error": Reason.WEIGHTS_UNAVAILABLE}
    except Exception:  # broad: an encoder is anybody's code, and the shopper must get an answer
        logger.exception("imgrec: search by photo")
        return {"error": Reason.EMBEDDER_FAILED}
    if not np.isfinite(vector).all() or not vector.any():
        return {"error": Reason.NO_FEATURES}
    return {"vector": [round(float(x), 6) for x in vector]}
