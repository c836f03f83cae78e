"""A broker in trouble, and well again afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from demo_shop.services import Redis


@contextmanager
def in_trouble(broker: Redis, trouble: str) -> Iterator[None]:
    """Have the broker ``healthy``, ``refusing``, ``frozen``, or with a ``wrong password`` inside.

    Refusing is a server that is gone; a frozen one takes connections and says nothing.
    """
    if trouble == "refusing":
        broker.stop()
    elif trouble == "frozen":
        broker.freeze()
    elif trouble == "wrong password":
        _change_password(broker.url, "changed")
    try:
        yield
    finally:
        broker.thaw()
        broker.start()
        if trouble == "wrong password":
            _change_password(broker.url.replace(broker.password, "changed"), broker.password)


def _change_password(url: str, password: str) -> None:
    """Whoever is connected already stays so; whoever comes is asked for the new one."""
    with redis.Redis.from_url(url) as client:
        client.config_set("requirepass", password)
