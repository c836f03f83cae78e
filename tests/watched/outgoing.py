"""Whether anything of ours talks to another machine: refused, and written down.

The tests talk to servers of their own, over this machine's loopback or unix sockets; hosts that
``IMGREC_TEST_DATABASE_URL`` and ``IMGREC_TEST_REDIS_URL`` name are allowed as well. Looking up a
name asks another machine, too.
"""

from __future__ import annotations

import os
import socket
import sys
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

# The file in which every process of a test run writes what it refused.
RECORD = "WATCHED_CONNECTIONS"
ADDRESS_EVENTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
NAME_EVENTS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
SERVERS = ("IMGREC_TEST_DATABASE_URL", "IMGREC_TEST_REDIS_URL")

_ALLOWED = {"", "localhost", socket.gethostname()} | {
    urlsplit(os.environ.get(name, "")).hostname or "" for name in SERVERS
}


def watch() -> None:
    """Watch this process from now on."""
    sys.addaudithook(_heard)


def _heard(event: str, args: tuple[object, ...]) -> None:
    if event in ADDRESS_EVENTS:
        address = args[1]
    elif event in NAME_EVENTS:
        address = (args[0],)
    else:
        return
    if isinstance(address, tuple) and not _is_here(address[0]):
        _refuse(f"{event} {address}")


def _is_here(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    if name in _ALLOWED:
        return True
    try:
        found = ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified


def _refuse(what: str) -> None:
    told = f"{what} by process {os.getpid()}: {' '.join(sys.argv[:4])}"
    record = os.environ.get(RECORD)
    if record:
        with Path(record).open("a") as file:
            file.write(f"{told}\n")
    raise PermissionError(f"Tests talk to no other machine: {told}")
