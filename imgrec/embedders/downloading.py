"""Fetches a weights file: bounded in time and size, verified before anybody can see it."""

from __future__ import annotations

import os
import tempfile
import time
from hashlib import sha256 as new_sha256
from pathlib import Path
from typing import IO
from urllib.request import urlopen

SILENCE_SECONDS = 10.0
WHOLE_SECONDS = 300.0
# A worker without a way out must not spend its life waiting for one, batch after batch.
PAUSE_SECONDS = 60.0

_refused: dict[str, tuple[float, str]] = {}


def download(url: str, *, to: Path, sha256: str, size: int) -> None:
    """Put the file at ``url`` to ``to`` in one step, if its bytes have this sha256 and size.

    After a failure the same address is left alone for a minute. Raises ``OSError``.
    """
    until, why = _refused.get(url, (0.0, ""))
    if time.monotonic() < until:
        raise OSError(why)
    try:
        _download(url, to=to, sha256=sha256, size=size)
    except OSError as error:
        _refused[url] = (time.monotonic() + PAUSE_SECONDS, str(error))
        raise


def _download(url: str, *, to: Path, sha256: str, size: int) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=to.parent, prefix=to.name, suffix=".part")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            found = _copy(url, target, size=size)
        if found != sha256:
            raise OSError(f"{url} gave a file with the sha256 {found}, not {sha256}")
        # Only the owner can read what mkstemp makes; other users' workers share this folder.
        partial.chmod(0o644)
        partial.replace(to)
    finally:
        partial.unlink(missing_ok=True)


def _copy(url: str, target: IO[bytes], *, size: int) -> str:
    """Copy at most ``size`` bytes and return their sha256."""
    digest, copied, deadline = new_sha256(), 0, time.monotonic() + WHOLE_SECONDS
    with urlopen(url, timeout=SILENCE_SECONDS) as answer:  # noqa: S310 - our own https addresses
        while block := answer.read(1 << 16):
            copied += len(block)
            if copied > size:
                raise OSError(f"{url} is larger than the {size} bytes expected")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{url} took longer than {WHOLE_SECONDS:.0f} seconds")
            digest.update(block)
            target.write(block)
    return digest.hexdigest()
