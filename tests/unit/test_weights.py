"""Local file, torchvision's cache, download: whichever it is, only the right bytes are used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from imgrec.embedders import downloading, weights
from imgrec.embedders.weights import Published, WeightsFile
from imgrec.errors import WeightsUnavailable

GOOD = b"weights" * 1000


class Server(ThreadingHTTPServer):
    """Serves ``content`` under any path and counts the requests."""

    content = GOOD
    asked = 0


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(downloading, "_refused", {})
    return tmp_path / "torch" / "hub" / "checkpoints"


def published(server: Server) -> Published:
    url = f"http://127.0.0.1:{server.server_port}/net-{sha256(GOOD).hexdigest()[:8]}.pth"
    return Published(url=url, sha256=sha256(GOOD).hexdigest(), size=len(GOOD))


def standard(server: Server) -> WeightsFile:
    return WeightsFile.of("net", path=None, sha256=None, published=published(server))


def test_missing_weights_are_downloaded_once_into_the_cache(server: Server, cache: Path) -> None:
    file = standard(server)
    assert "not on this machine" in str(file.missing())
    assert file.read() == GOOD
    assert file.read() == GOOD
    assert server.asked == 1
    assert [each.name for each in cache.iterdir()] == [file.published.cached_at.name]
    assert file.missing() is None


def test_a_damaged_file_in_the_cache_is_replaced(server: Server, cache: Path) -> None:
    file = standard(server)
    cache.mkdir(parents=True)
    file.published.cached_at.write_bytes(GOOD[:-1])
    assert file.missing()
    assert file.read() == GOOD
    assert file.published.cached_at.read_bytes() == GOOD


@pytest.mark.parametrize("content", [b"x" * len(GOOD), GOOD[:-1], GOOD + b"more", b""])
def test_wrong_bytes_never_reach_the_cache(server: Server, cache: Path, content: bytes) -> None:
    server.content = content
    with pytest.raises(WeightsUnavailable, match="not on this machine"):
        standard(server).read()
    assert list(cache.iterdir()) == []


def test_a_failed_download_is_not_tried_again_at_once(server: Server) -> None:
    server.content = b"an error page"
    for _ in range(3):
        with pytest.raises(WeightsUnavailable):
            standard(server).read()
    assert server.asked == 1


def test_a_download_that_takes_too_long_ends(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloading, "WHOLE_SECONDS", -1.0)
    with pytest.raises(WeightsUnavailable, match="longer than"):
        standard(server).read()


def test_the_sentence_names_every_way_out(server: Server, cache: Path) -> None:
    sentence = str(standard(server).missing())
    ways = [published(server).url, str(cache), 'IMGREC["weights"]["net"]["path"]', "imgrec[lite]"]
    assert all(way in sentence for way in ways)


def test_a_local_file_wins_and_must_have_its_digest(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "own.pth"
    path.write_bytes(b"own")
    own = sha256(b"own").hexdigest()
    file = WeightsFile.of("net", path=path, sha256=own.upper(), published=published(server))
    assert (file.read(), file.missing(), file.sha256) == (b"own", None, own)
    wrong = WeightsFile.of("net", path=path, sha256=None, published=published(server))
    assert "sha256" in str(wrong.missing())
    with pytest.raises(WeightsUnavailable, match="sha256"):
        wrong.read()
    assert server.asked == 0


def test_the_setting_names_a_local_file(server: Server, tmp_path: Path, settings: Any) -> None:
    path = tmp_path / "copy.pth"
    path.write_bytes(GOOD)
    settings.IMGREC = {"weights": {"net": {"path": str(path)}}}
    assert standard(server).read() == GOOD
    path.unlink()
    assert "missing" in str(standard(server).missing())
    with pytest.raises(WeightsUnavailable, match="cannot be read"):
        standard(server).read()
    assert server.asked == 0


def test_a_file_exchanged_behind_our_back_is_noticed(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "copy.pth"
    path.write_bytes(GOOD)
    file = WeightsFile.of("net", path=path, sha256=None, published=published(server))
    assert file.missing() is None
    path.write_bytes(GOOD + b"tampered")
    assert file.missing()
    with pytest.raises(WeightsUnavailable):
        file.read()


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"TORCH_HOME": "/t", "XDG_CACHE_HOME": "/x"}, "/t/hub/checkpoints"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/torch/hub/checkpoints"),
        ({}, "/home/shop/.cache/torch/hub/checkpoints"),
    ],
)
def test_the_cache_is_where_torch_keeps_its_own(
    variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch_hub = pytest.importorskip("torch.hub")
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/shop")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(weights.cache_folder()) == folder
    assert f"{torch_hub.get_dir()}/checkpoints" == folder
