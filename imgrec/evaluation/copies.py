"""Flipped, cropped and recompressed copies of photos: do they find their original?

There everybody agrees on the right answer, so it needs no label. Copies are embedded through the
space's own encoder.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from imgrec.conf import settings
from imgrec.evaluation.ranked import Watch
from imgrec.images import decoded_side, open_picture
from imgrec.reading import Vectors
from imgrec.spaces import SpaceDefinition
from imgrec.topk import Matrix, unit
from imgrec.truth import TIE

logger = logging.getLogger(__name__)

# Each side of a cropped copy, of the original's; and how strongly the other is compressed.
CROPPED_TO = 0.8
JPEG_QUALITY = 35
PHOTOS_AT_ONCE = 8


@dataclass(frozen=True)
class Copies:
    """Copies of ``photos``; by kind, the share whose nearest photo is their original, 0..1.

    ``unreadable``: photos of the sample that could not be read or that gave no features.
    """

    photos: int
    unreadable: int
    recall_at_1: dict[str, float]


def flipped(picture: Image.Image) -> Image.Image:
    """Return the picture mirrored, left to right."""
    return ImageOps.mirror(picture)


def cropped(picture: Image.Image) -> Image.Image:
    """Return the middle of the picture."""
    width, height = picture.size
    left, top = round(width * (1 - CROPPED_TO) / 2), round(height * (1 - CROPPED_TO) / 2)
    return picture.crop((left, top, max(left + 1, width - left), max(top + 1, height - top)))


def recompressed(picture: Image.Image) -> Image.Image:
    """Return the picture as a JPEG of low quality shows it."""
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return Image.open(BytesIO(buffer.getvalue())).convert("RGB")


KINDS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "flipped": flipped,
    "cropped": cropped,
    "recompressed": recompressed,
}


def find_originals(
    space: SpaceDefinition, version: str, vectors: Vectors, sample: list[Any], watch: Watch
) -> Copies:
    """Make copies of a photo of each of these products, and look for their originals.

    An original counts as found when no other photo is nearer; who ties with it is the same
    picture. ``watch`` is told how many products are done.

    Raises:
        WeightsUnavailable: the encoder cannot run here.
        ValueError: the vectors are of another version of the encoder than the one set up.
    """
    if version != space.embedder.version:
        raise ValueError(f"the vectors are of {version}, the encoder is {space.embedder.version}")
    hits: dict[str, int] = dict.fromkeys(KINDS, 0)
    photos = done = 0
    originals = list(_originals(space, version, sample))
    for begin in range(0, len(originals), PHOTOS_AT_ONCE):
        chunk = originals[begin : begin + PHOTOS_AT_ONCE]
        read = [(vector, picture) for name, vector in chunk if (picture := picture_of(space, name))]
        photos += len(read)
        done += len(chunk)
        for kind, found in _found(space, vectors.matrix, read).items():
            hits[kind] += found
        watch(done)
    shares = {kind: count / photos for kind, count in hits.items()} if photos else {}
    return Copies(photos, len(originals) - photos, shares)


def _found(
    space: SpaceDefinition, matrix: Matrix, read: list[tuple[Matrix, Image.Image]]
) -> dict[str, int]:
    """Return how many copies of each kind find their original, among all vectors."""
    if not read:
        return {}
    own = np.stack([vector for vector, _picture in read])
    found = {}
    for kind, change in KINDS.items():
        rows = np.nan_to_num(space.embedder.embed([change(picture) for _, picture in read]))
        nearest = (rows @ matrix.T).max(axis=1)
        found[kind] = int(((rows * own).sum(axis=1) >= nearest - TIE).sum())
    return found


def _originals(
    space: SpaceDefinition, version: str, sample: list[Any]
) -> Iterator[tuple[str, Matrix]]:
    """Yield name and unit vector of one photo of each product."""
    column = space.item_column
    stored = space.embedding_model.objects.using(space.using).filter(version=version)
    rows = stored.filter(**{f"{column}__in": sample}).order_by(column, "owner_id")
    seen: set[Any] = set()
    for item, name, vector in rows.values_list(column, "source_name", "vector").iterator(100):
        if item not in seen:
            seen.add(item)
            yield name, unit(np.asarray(vector, dtype=np.float32)[None, :])[0]


def picture_of(
    space: SpaceDefinition, name: str, *, short_side: int | None = None
) -> Image.Image | None:
    """Return a photo from the shop's storage, None when it cannot be read.

    Reduced as for the space's encoder, or with its shorter side not below ``short_side`` pixels.
    """
    side = decoded_side(space.embedder) if short_side is None else short_side
    try:
        with space.source_field.storage.open(name, "rb") as opened:
            data = bytes(opened.read(settings.max_file_bytes + 1))
        return open_picture(data, short_side=side)
    except Exception as error:  # noqa: BLE001 - every storage has errors of its own
        logger.warning("imgrec: %s is left out: %s", name, error)
        return None
