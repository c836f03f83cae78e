"""That the suite would notice a process which talks to another machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.watched.outgoing import RECORD


def run(code: str, record: Path) -> subprocess.CompletedProcess[str]:
    """Run Python as the tests' own processes run."""
    command = [sys.executable, "-c", f"import socket\n{code}"]
    environment = {**os.environ, RECORD: str(record)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "code",
    [
        "socket.create_connection(('192.0.2.1', 80), timeout=1)",
        "socket.getaddrinfo('example.invalid', 80)",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.socket(socket.AF_INET6).connect_ex(('2001:db8::1', 80))",
    ],
)
def test_another_machine_is_refused_and_told(code: str, tmp_path: Path) -> None:
    done = run(code, tmp_path / "record")
    assert "PermissionError" in done.stderr
    assert "socket." in (tmp_path / "record").read_text()


def test_a_refusal_that_is_swallowed_is_told_all_the_same(tmp_path: Path) -> None:
    code = "try: socket.create_connection(('192.0.2.1', 80))\nexcept OSError: pass"
    assert run(code, tmp_path / "record").returncode == 0
    assert "192.0.2.1" in (tmp_path / "record").read_text()


def test_servers_of_our_own_are_not(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"socket.create_connection(('localhost', {port}), timeout=5)"
        done = run(code, tmp_path / "record")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "record").exists()
