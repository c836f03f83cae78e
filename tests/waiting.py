"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_SECONDS = 0.02


def wait_until(done: Callable[[], object], seconds: float = 60) -> bool:
    """Ask again and again, until it is so or the time is over; return whether it is."""
    ends_at = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= ends_at:
            return bool(done())
        time.sleep(POLL_SECONDS)
    return True
