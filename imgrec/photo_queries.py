"""Shoppers' photos on their way to a worker and back, through Redis.

The web process never embeds: it leaves the bytes under a random key for 30 seconds, and
waits on a list for the vector. Any worker answers, also between two batches of a reindex and
while it waits for a slow storage, so a shopper waits for one batch at most. Nothing is written
to disk. Of a photo of the catalogue it leaves the name, and waits in the same way for its map of
features, unless that is kept.
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

from imgrec import map_cache, photo_seats
from imgrec.boxes import Box
from imgrec.conf import redis_url, settings
from imgrec.errors import PhotoSearchUnavailable
from imgrec.feature_maps import FeatureMap
from imgrec.images import check_header
from imgrec.mapping import explaining
from imgrec.photo_answers import MAP, Asked, answer, raise_for
from imgrec.poke import poke
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition
from imgrec.topk import Matrix

logger = logging.getLogger(__name__)

QUEUE = "imgrec:photos"
KEEP_SECONDS = 30
AT_ONCE = 8
# A Redis that is away is left alone for so long: to wait for a silent one between all batches
# would make an import last many times as long, and the log as well.
AWAY_SECONDS = 2.0
WAIT_FOR_KEPT_SECONDS = 1.0


@lru_cache(maxsize=4)
def _connect(url: str, timeout: float) -> Any:
    return Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout)


def _redis(timeout: float) -> Any:
    return _connect(redis_url(), timeout)


def is_on() -> bool:
    """Return whether shoppers may search by a photo, and there is a Redis to carry it."""
    return settings.photo_search and can_ask()


def can_ask() -> bool:
    """Return whether there is a Redis to reach a worker by."""
    return bool(redis_url())


def ask(space: SpaceDefinition, data: bytes, *, part: Box | None = None) -> Matrix:
    """Have a worker embed a photo, or a part of it; return its vector, shape (dimensions,).

    Raises:
        PictureError: the photo cannot be used; judged from its header here, by a worker after.
        NoFeatureMap, NothingSeen: this part cannot be looked at.
        PhotoSearchUnavailable: switched off, no answer within ``photo_wait_seconds``, or too
            many ask (``photo_at_once``, ``photo_per_minute``).
    """
    if not is_on():
        raise PhotoSearchUnavailable("off")
    check_header(data, max_bytes=settings.max_upload_bytes)
    what = f"{part.left},{part.top},{part.width},{part.height}" if part else ""
    said = json.loads(_answered(space, what, data))
    return np.asarray(said["vector"], dtype=np.float32)


def ask_map(space: SpaceDefinition, name: str, digest: str) -> FeatureMap:
    """Return the map of a photo of the catalogue: the one that is kept, else a worker's.

    Raises:
        PictureError: the file cannot be had or used.
        NoFeatureMap: the encoder has none.
        PhotoSearchUnavailable: no Redis, or as :func:`ask`.
    """
    version = explaining(space.embedder).version
    if not can_ask():
        raise PhotoSearchUnavailable("no_answer")
    try:
        kept = map_cache.get(_redis(WAIT_FOR_KEPT_SECONDS), map_cache.name_of(version, digest))
    except RedisError as error:
        logger.warning("imgrec: map of a photo: %s", error)
        raise PhotoSearchUnavailable("no_answer") from error
    return kept or FeatureMap.from_bytes(_answered(space, MAP, name.encode()))


def _answered(space: SpaceDefinition, what: str, data: bytes) -> bytes:
    """Take a seat, and wait there for a worker's answer that is no error."""
    asked = Asked(secrets.token_urlsafe(24), space.label, what)
    redis = _redis(settings.photo_wait_seconds + 1)
    try:
        if not photo_seats.take(redis, asked.token):
            raise PhotoSearchUnavailable("busy")
        try:
            answer = _wait(redis, asked, data)
        finally:
            photo_seats.leave(redis, asked.token)
    except RedisError as error:
        logger.warning("imgrec: search by photo: %s", error)
        raise PhotoSearchUnavailable("no_answer") from error
    return _understood(answer)


def _wait(redis: Any, asked: Asked, data: bytes) -> tuple[bytes, bytes] | None:
    leave(redis, asked, data)
    answer: tuple[bytes, bytes] | None = redis.blpop(
        [f"imgrec:answer:{asked.token}"], timeout=settings.photo_wait_seconds
    )
    if answer is None:
        redis.delete(f"imgrec:photo:{asked.token}")
    return answer


def leave(redis: Any, asked: Asked, data: bytes) -> None:
    """Leave a question where a worker finds it, and tell one."""
    with redis.pipeline() as pipe:
        pipe.set(f"imgrec:photo:{asked.token}", data, ex=KEEP_SECONDS)
        pipe.lpush(QUEUE, str(asked))
        pipe.expire(QUEUE, KEEP_SECONDS)
        pipe.execute()
    poke("imgrec.answer_photos")


def _understood(answer: tuple[bytes, bytes] | None) -> bytes:
    """Return an answer; raise what it says went wrong."""
    if answer is None:
        raise PhotoSearchUnavailable("no_answer")
    code = json.loads(answer[1].partition(b"\n")[0]).get("error")
    if code in (Reason.WEIGHTS_UNAVAILABLE, Reason.EMBEDDER_FAILED):
        raise PhotoSearchUnavailable("no_answer")
    if code:
        raise_for(code)
    return answer[1]


_away_until = 0.0


def answer_waiting() -> int:
    """In a worker: embed the photos that wait; return how many. Redis being away is no error."""
    global _away_until
    if not can_ask() or time.monotonic() < _away_until:
        return 0
    answered = 0
    try:
        redis = _redis(settings.broker_timeout_seconds)
        while answered < AT_ONCE and (line := redis.rpop(QUEUE)):
            asked = Asked.parse(line.decode())
            data = redis.getdel(f"imgrec:photo:{asked.token}")
            if data is None:
                continue  # nobody waits any more
            with redis.pipeline() as pipe:
                pipe.rpush(f"imgrec:answer:{asked.token}", answer(redis, asked, data))
                pipe.expire(f"imgrec:answer:{asked.token}", KEEP_SECONDS)
                pipe.execute()
            answered += 1
    except RedisError as error:
        _away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("imgrec: search by photo: %s", error)
    return answered
