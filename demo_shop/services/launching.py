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
def end_with_us(death_signal: str) -> list[str]:
    """Return what to put before a command that shall get a signal when its starter is gone.

    Empty where the system has no such thing. ``death_signal`` is written without "SIG".
    """
    prefix = ["setpriv", "--pdeathsig", death_signal]
    return prefix if _works(prefix) else []


@cache
def ordinary_account() -> list[str]:
    """Return what to put before a command that must not run as root.

    PostgreSQL refuses to. Root becomes "nobody", who may still enter the folders of root it has
    to: a virtual environment or temporary folder of root's is closed to others, and is not ours
    to open.
    """
    if os.geteuid() != 0:
        return []
    group = pwd.getpwnam("nobody").pw_gid
    become = ["setpriv", "--reuid=nobody", f"--regid={group}", "--clear-groups"]
    keys = ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]
    for prefix in ([*become, *keys], become):
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
