"""Uploads of a gigabyte to a real server: read no further than a photo may be long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imgrec.uploads import FRAMING_BYTES
from tests.faults.web_server import FILE_BEGINS, WebServer, head, send_on, status_of
from tests.processes import environment

pytestmark = pytest.mark.django_db(transaction=True)

GIGABYTE = 1_000_000_000
LIMIT = 8_000_000
ADDRESSES = ["/api/testapp/product/similar-to-photo/", "/guarded/"]
SERVERS = {"sync": ["--worker-class", "sync"], "threads": ["--threads", "8"]}


@pytest.fixture(scope="module", params=SERVERS)
def running(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    redis_server: object,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[WebServer, Path]]:
    """A server of each kind for all tests, and the folder of its temporary files."""
    folder = tmp_path_factory.mktemp("uploads")
    temporary = folder / "temporary"
    temporary.mkdir()
    variables = environment(photo_wait_seconds=0.2, max_upload_bytes=LIMIT)
    variables["TMPDIR"] = str(temporary)
    log = folder / "gunicorn.log"
    with WebServer(variables, log=log, options=SERVERS[request.param]) as server:
        yield server, temporary


@pytest.fixture
def server(running: tuple[WebServer, Path]) -> Iterator[WebServer]:
    """The server, which in the end has neither failed nor left a file."""
    web, temporary = running
    yield web
    assert "Traceback" not in web.log()
    assert list(temporary.iterdir()) == []


def took(server: WebServer, port: int, request: bytes) -> int:
    """Return what the server read of a request's body; no file may have come of it."""
    seen = server.seen(port)
    assert [name for name in seen["written"] if "temporary" in name] == []
    return int(seen["received"]) - len(request)


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_body_that_says_so_is_not_read(server: WebServer, path: str) -> None:
    request = head(path, f"Content-Length: {GIGABYTE}")
    with server.connect() as client:
        port = client.getsockname()[1]
        client.sendall(request + FILE_BEGINS)
        assert status_of(client) == 413
        assert send_on(client, GIGABYTE) < GIGABYTE / 10, "the connection is reset"
    assert took(server, port, request) <= LIMIT + FRAMING_BYTES


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_file_larger_than_a_photo_is_read_so_far(server: WebServer, path: str) -> None:
    """It says to be just short enough, and what is in it is not."""
    request = head(path, f"Content-Length: {LIMIT + FRAMING_BYTES}")
    with server.connect() as client:
        port = client.getsockname()[1]
        client.sendall(request + FILE_BEGINS)
        send_on(client, LIMIT + FRAMING_BYTES - len(FILE_BEGINS))
        assert status_of(client) == 413
    assert took(server, port, request) <= LIMIT + FRAMING_BYTES


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_body_of_unknown_length_is_not_read(server: WebServer, path: str) -> None:
    request = head(path, "Transfer-Encoding: chunked")
    with server.connect() as client:
        port = client.getsockname()[1]
        client.sendall(request + b"10000\r\n" + bytes(65_536) + b"\r\n")
        assert status_of(client) in {400, 403}
        piece = b"10000\r\n" + bytes(65_536) + b"\r\n"
        sent = 0
        try:
            while sent < GIGABYTE:
                client.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        assert sent < GIGABYTE / 10
    assert took(server, port, request) <= LIMIT + FRAMING_BYTES


def test_what_is_refused_is_refused_before_the_token_is_looked_for(server: WebServer) -> None:
    """A short form without a token is 403, so that the view does check."""
    body = FILE_BEGINS + b"x\r\n--x--\r\n"
    with server.connect() as client:
        client.sendall(head("/guarded/", f"Content-Length: {len(body)}") + body)
        assert status_of(client) == 403


def test_a_view_without_us_is_read_to_its_end(server: WebServer) -> None:
    """What the others are compared with: the counting counts."""
    most = 4 * LIMIT
    request = head("/bare/", f"Content-Length: {most}")
    with server.connect() as client:
        port = client.getsockname()[1]
        client.sendall(request + FILE_BEGINS)
        send_on(client, most - len(FILE_BEGINS))
        assert status_of(client) == 403
    seen = server.seen(port)
    assert seen["received"] >= most
    assert [name for name in seen["written"] if "temporary" in name]
