"""Reads and decodes one photo, in whatever thread; asks no database."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from celery.exceptions import SoftTimeLimitExceeded

from imgrec.claimed import Photo
from imgrec.conf import settings
from imgrec.encoding import decode
from imgrec.errors import PictureError
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition


def look(space: SpaceDefinition, photo: Photo, spared: set[str] | None = None) -> Photo:
    """Return the photo with its digest, and decoded where it may have to be embedded.

    Args:
        spared: digests of files that are not decoded; those that are decoded here join them.

    Raises:
        PictureError: the file cannot be had or used.
    """
    data = _read(space, photo.name)
    digest = sha256(data).hexdigest()
    seen = replace(photo, digest=digest)
    if seen.is_known(space.embedder.version):
        return seen
    if spared is not None:
        if digest in spared:
            return seen
        spared.add(digest)
    return replace(seen, inputs=decode(space.embedder, data))


def _read(space: SpaceDefinition, name: str) -> bytes:
    """Read at most one byte more than allowed, from any storage."""
    try:
        with space.source_field.storage.open(name, "rb") as opened:
            return bytes(opened.read(settings.max_file_bytes + 1))
    except SoftTimeLimitExceeded:
        raise
    except FileNotFoundError as error:
        raise PictureError(Reason.FILE_MISSING) from error
    except Exception as error:  # broad: every storage has errors of its own
        detail = f"{type(error).__name__}: {error}"
        raise PictureError(Reason.STORAGE_ERROR, detail=detail) from error
