"""Reads and decodes one photo, in whatever thread; asks no database."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from imgrec import files
from imgrec.claimed import Photo
from imgrec.encoding import decode
from imgrec.spaces import SpaceDefinition


def look(space: SpaceDefinition, photo: Photo, spared: set[str] | None = None) -> Photo:
    """Return the photo with its digest, and decoded where it may have to be embedded.

    Args:
        spared: digests of files that are not decoded; those that are decoded here join them.

    Raises:
        PictureError: the file cannot be had or used.
    """
    data = files.read(space, photo.name)
    digest = sha256(data).hexdigest()
    seen = replace(photo, digest=digest)
    if seen.is_known(space.embedder.version):
        return seen
    if spared is not None:
        if digest in spared:
            return seen
        spared.add(digest)
    return replace(seen, inputs=decode(space.embedder, data))
