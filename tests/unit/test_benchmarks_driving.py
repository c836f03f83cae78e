"""The load benchmark's sender of requests counts what it got, by wrk and by threads alike."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from benchmarks._driving import CONNECTIONS, drive


class Server(BaseHTTPRequestHandler):
    """Answers /fine, and nothing else."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200 if self.path == "/fine" else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *values: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as made:
        made.asked = []  # type: ignore[attr-defined]
        thread = Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.mark.parametrize("by", ["wrk", "threads"])
def test_requests_and_errors_are_counted(
    by: str, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by == "threads":
        monkeypatch.setattr(shutil, "which", lambda name: None)
    elif shutil.which("wrk") is None:
        pytest.skip("wrk is not installed (on Debian: apt-get install wrk)")
    found = drive(f"http://127.0.0.1:{server.server_port}", ["/fine", "/broken"], seconds=1)
    assert found.by == by
    assert 0 < found.p50 <= found.p99
    assert {"/fine", "/broken"} == set(server.asked)
    # what was under way when time was up counts for neither
    assert abs(found.requests - len(server.asked)) <= CONNECTIONS
    assert abs(found.errors - server.asked.count("/broken")) <= CONNECTIONS


@pytest.mark.parametrize("by", ["wrk", "threads"])
def test_what_works_is_no_error(by: str, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if by == "threads":
        monkeypatch.setattr(shutil, "which", lambda name: None)
    elif shutil.which("wrk") is None:
        pytest.skip("wrk is not installed (on Debian: apt-get install wrk)")
    found = drive(f"http://127.0.0.1:{server.server_port}", ["/fine"], seconds=1)
    assert (found.errors, found.requests > 0) == (0, True)
