"""How near two photos must be to count as one: measured on copies of the shop's own photos.

What an encoder makes of a copy depends on the encoder and on the photos. So some are recompressed,
resized and cut, and looked for; and what is like a photo without being a copy of it tells how far
apart in bits a copy may be before others come in as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from django.db.models.functions import Now
from PIL import Image

from imgrec.duplicates.hashes import PART, bits_apart, hashes_of
from imgrec.duplicates.known import hashes_by_item, rows_of
from imgrec.evaluation.copies import picture_of, recompressed
from imgrec.models import DuplicateLimits
from imgrec.spaces import SpaceDefinition
from imgrec.topk import unit

PHOTOS = 100
AT_ONCE = 8
# Of copies in another file nearly all shall be found, of parts most.
COPIES_LOST, PARTS_LOST = 0.01, 0.08
# Of what is nearly as like as a copy, and none, no more than this may be as near in bits.
MISTAKEN = 0.003
LEAST_PHOTOS = 5


@dataclass(frozen=True)
class Limits:
    """Least cosine and most bits apart: of the same picture in another file, of a part of it."""

    copy_similarity: float
    copy_bits: int
    crop_similarity: float
    crop_bits: int

    @property
    def least_similarity(self) -> float:
        """Nothing less similar is a copy of either kind."""
        return min(self.copy_similarity, self.crop_similarity)

    def hold(self, similarity: float, bits: int) -> bool:
        """Return whether two photos are as near as copies are."""
        is_copy = similarity >= self.copy_similarity and bits <= self.copy_bits
        return is_copy or (similarity >= self.crop_similarity and bits <= self.crop_bits)


@dataclass(frozen=True)
class Copied:
    """One copy beside its original."""

    kind: str
    similarity: float
    bits: int


def halved(picture: Image.Image) -> Image.Image:
    """Return the picture at half its size."""
    width, height = picture.size
    size = max(1, width // 2), max(1, height // 2)
    return picture.resize(size, Image.Resampling.LANCZOS)


def stored(space: SpaceDefinition) -> Limits | None:
    """Return the limits measured for the present encoder, None before that was done."""
    rows = DuplicateLimits.objects.using(space.using).filter(space=space.label)
    row = rows.filter(version=space.embedder.version).first()
    if row is None:
        return None
    return Limits(row.copy_similarity, row.copy_bits, row.crop_similarity, row.crop_bits)


def calibrate(
    space: SpaceDefinition,
    *,
    photos: int = PHOTOS,
    seed: int = 0,
    watch: Callable[[int], object] = lambda done: None,
) -> Limits:
    """Measure the limits on copies of so many photos, and keep them. The photos must be hashed.

    Raises:
        WeightsUnavailable: the encoder cannot run here.
        ValueError: too few photos can be read.
    """
    copies, items = _copies(space, photos, np.random.default_rng(seed), watch)
    if len(items) < LEAST_PHOTOS:
        raise ValueError(
            f"{space.label}: limits take {LEAST_PHOTOS} photos that can be read, of the encoder "
            f"that is set up; there are {len(items)}."
        )
    limits = measured(copies, list(_others(space, items)))
    found = {
        kind: float(np.mean([limits.hold(c.similarity, c.bits) for c in copies if c.kind == kind]))
        for kind in dict.fromkeys(each.kind for each in copies)
    }
    DuplicateLimits.objects.using(space.using).update_or_create(
        space=space.label,
        defaults={
            "version": space.embedder.version,
            "copy_similarity": limits.copy_similarity,
            "copy_bits": limits.copy_bits,
            "crop_similarity": limits.crop_similarity,
            "crop_bits": limits.crop_bits,
            "photos": len(items),
            "found": found,
            "calibrated_at": Now(),
        },
    )
    return limits


def measured(copies: Sequence[Copied], others: Sequence[tuple[float, int]]) -> Limits:
    """Return the limits that copies fall within, and few others: (cosine, bits apart)."""
    whole = [each for each in copies if each.kind != "cropped"]
    parts = [each for each in copies if each.kind == "cropped"]
    copy_similarity, copy_bits = _limits(whole, COPIES_LOST)
    # a very small copy is far from its original for an encoder, and for a hash it is not: once as
    # much room again as nearly all take
    usual = float(np.median([each.similarity for each in whole]))
    copy_similarity = max(0.0, 2 * copy_similarity - usual)
    crop_similarity, crop_bits = _limits(parts, PARTS_LOST)
    # what is less similar than copies are is certainly none
    none = np.array([bits for cosine, bits in others if cosine < crop_similarity])
    while crop_bits > 0 and len(none) and (none <= crop_bits).mean() > MISTAKEN:
        crop_bits -= 1
    return Limits(copy_similarity, min(copy_bits, max(crop_bits, 4)), crop_similarity, crop_bits)


def _limits(copies: Sequence[Copied], lost: float) -> tuple[float, int]:
    cosines, bits = [c.similarity for c in copies], [c.bits for c in copies]
    return float(np.quantile(cosines, lost)), int(np.ceil(np.quantile(bits, 1 - lost)))


def _copies(
    space: SpaceDefinition, photos: int, random: Any, watch: Callable[[int], object]
) -> tuple[list[Copied], set[Any]]:
    """Return copies of some photos, and the products these are of."""
    column = space.item_column
    vectors = space.embedding_model.objects.using(space.using)
    # in the order of their digests: by chance, and the same ones each time
    rows = vectors.filter(version=space.embedder.version).order_by("sha256", "pk")
    sample = list(rows.values_list("owner_id", column, "source_name", "vector")[:photos])
    known = dict(
        rows_of(space)
        .filter(object_pk__in=[str(row[0]) for row in sample])
        .values_list("object_pk", "hashes")
    )
    found: list[Copied] = []
    items: set[Any] = set()
    for begin in range(0, len(sample), AT_ONCE):
        for owner, item, name, vector in sample[begin : begin + AT_ONCE]:
            picture = picture_of(space, name)
            if picture is not None and known.get(str(owner)):
                own = unit(np.asarray(vector, dtype=np.float32)[None, :])[0]
                found += _beside(space, picture, own, known[str(owner)], random)
                items.add(item)
        watch(min(begin + AT_ONCE, len(sample)))
    return found, items


def _beside(
    space: SpaceDefinition, picture: Image.Image, own: Any, hashes: list[int], random: Any
) -> Iterator[Copied]:
    copies = {
        "recompressed": recompressed(picture),
        "resized": halved(picture),
        "cropped": _cut(picture, random),
    }
    rows = np.nan_to_num(space.embedder.embed(list(copies.values())))
    for (kind, copy), row in zip(copies.items(), rows, strict=True):
        yield Copied(kind, float(row @ own), bits_apart(hashes, hashes_of(copy)))


def _cut(picture: Image.Image, random: Any) -> Image.Image:
    """Return a part of the picture from anywhere in it."""
    width, height = picture.size
    across, down = max(1, round(width * PART)), max(1, round(height * PART))
    left = int(random.integers(width - across + 1))
    top = int(random.integers(height - down + 1))
    return picture.crop((left, top, left + across, top + down))


def _others(space: SpaceDefinition, items: set[Any]) -> Iterator[tuple[float, int]]:
    """Yield the cosine of these products with those in their lists, and their bits apart."""
    lists = space.list_model.objects.using(space.using).filter(
        owner__in=items, version=space.embedder.version
    )
    for owner, keys, similarities in lists.values_list("owner", "neighbours", "similarities"):
        known = hashes_by_item(space, {owner, *keys})
        for key, similarity in zip(keys, similarities, strict=True):
            sides = product(known.get(owner, ()), known.get(key, ()))
            yield similarity, min((bits_apart(*each) for each in sides), default=65)
