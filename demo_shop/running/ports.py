"""Whether the shop's address is free, and when something answers there."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable

from demo_shop.running.commands import HOST

READY_SECONDS = 60


def is_taken(port: int) -> bool:
    """Whether somebody listens there already."""
    with socket.socket() as probe:
        # As the web server does: a port whose last owner has just gone is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def answers(port: int, path: str = "/") -> bool:
    """Whether the shop's first page is served; thumbnails may have to be made for it."""
    connection = http.client.HTTPConnection(HOST, port, timeout=READY_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_for(condition: Callable[[], bool], *, while_true: Callable[[], bool]) -> bool:
    """Wait until the condition holds; False when time is up or ``while_true`` no longer holds."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and while_true():
        if condition():
            return True
        time.sleep(0.1)
    return False
