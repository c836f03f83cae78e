"""How a server's process is started: its program, its port, the account it runs under."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

HOST = "127.0.0.1"


class ServiceError(Exception):
    """A server did not start; the message holds the end of its log."""


def free_port() -> int:
    """Return a TCP port nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def package_folder(package: str) -> Path:
    """Return where a package lives without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ServiceError(f"{package} is not installed: pip install 'imgrec[demo]'")
    return Path(spec.origin).parent


@cache
def launcher(death_signal: str) -> list[str]:
    """Return what to put before a server's command line.

    The server is told to end when we do. PostgreSQL refuses to run as root, so root becomes
    "nobody", who may still enter the folders of root it has to (a virtual environment or a
    temporary folder of root's is closed to others, and is not ours to open).
    """
    end_with_us = ["setpriv", "--pdeathsig", death_signal]
    become = ["--reuid=nobody", f"--regid={pwd.getpwnam('nobody').pw_gid}", "--clear-groups"]
    keys = ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]
    if os.geteuid() != 0:
        return end_with_us if _works(end_with_us) else []
    for prefix in ([*end_with_us, *become, *keys], [*end_with_us, *become]):
        if _works(prefix):
            return prefix
    raise ServiceError(
        "PostgreSQL does not run as root, and setpriv (of util-linux) cannot change that here. "
        "Use an ordinary account."
    )


def _works(prefix: list[str]) -> bool:
    try:
        return subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
    except OSError:
        return False
