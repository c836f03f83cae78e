"""A gunicorn with the shop of :mod:`tests.faults.serving`, and raw requests to it."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo_shop.services import end_with_us
from tests.worker import ROOT

READY_SECONDS = 30
PIECE = bytes(65_536)


class WebServer:
    """``gunicorn tests.faults.serving:application``, listening on return."""

    def __init__(self, environment: Mapping[str, str], *, log: Path, options: list[str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._log = log
        command = [sys.executable, "-m", "gunicorn", "tests.faults.serving:application"]
        command += ["--config", "python:tests.faults.gunicorn_conf"]
        command += ["--bind", f"127.0.0.1:{self.port}", *options]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*end_with_us("KILL"), *command],
                cwd=ROOT,
                env=dict(environment),
                stdout=output,
                stderr=output,
            )
        self._wait()

    def __enter__(self) -> WebServer:
        return self

    def __exit__(self, *args: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def ask(
        self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Return status and body of a GET, or of a POST with this body."""
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            asking.request("GET" if body is None else "POST", path, body, dict(headers or {}))
            answer = asking.getresponse()
            return answer.status, answer.read()
        finally:
            asking.close()

    def seen(self, port: int) -> dict[str, Any]:
        """Return what the server received from a client's port, and the files it has written."""
        told: dict[str, Any] = json.loads(self.ask(f"/seen/{port}/")[1])
        return told

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                self.seen(0)
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the server did not get ready:\n{self.log()}") from None
                time.sleep(0.1)


def head(path: str, *lines: str) -> bytes:
    """Return the head of a POST with a form, its boundary ``x``.

    With the cookie, but without the field, that make Django read the form for its CSRF token.
    """
    first = [f"POST {path} HTTP/1.1", "Host: shop", f"Cookie: csrftoken={'a' * 32}"]
    first.append("Content-Type: multipart/form-data; boundary=x")
    return ("\r\n".join([*first, *lines]) + "\r\n\r\n").encode()


FILE_BEGINS = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'


def status_of(connection: socket.socket) -> int:
    """Read the answer's first line; 0 when there is none."""
    try:
        answer = connection.recv(65_536)
    except OSError:
        return 0
    return int(answer.split()[1]) if answer else 0


def send_on(connection: socket.socket, most: int) -> int:
    """Send until the other side resets the connection; return how many bytes it took."""
    sent = 0
    try:
        while sent < most:
            piece = PIECE[: most - sent]
            connection.sendall(piece)
            sent += len(piece)
    except OSError:
        pass
    return sent
