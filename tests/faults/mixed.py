"""Pictures as they come to a shop: all sizes, formats and ways to be written, and broken ones."""

from __future__ import annotations

import random
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.faults.mutations import broken

ORIENTATION = 0x0112
SIZES = ((1600, 1200), (900, 1200), (640, 640), (320, 200), (48, 64))


def mixed(seed: int, number: int, *, also: tuple[bytes, ...] = ()) -> bytes:
    """Return a file of its own; ``also``: others to choose from."""
    dice = random.Random(f"{seed}/{number}")
    if dice.random() < 0.25:
        return broken(seed, number)
    data = dice.choice(also if also and dice.random() < 0.2 else originals())
    # Bytes behind the end are read by nobody, and make another file of it.
    return data + f"{seed}/{number}".encode()


@cache
def originals() -> tuple[bytes, ...]:
    return tuple(each for size in SIZES for each in _of_size(*size))


def _of_size(width: int, height: int) -> list[bytes]:
    noise = np.random.default_rng(width).integers(0, 256, (height // 8, width // 8, 3))
    photo = Image.fromarray(noise.astype(np.uint8)).resize((width, height))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    small = photo.resize((width // 4, height // 4))
    return [
        _saved(photo, "JPEG", exif=exif),
        _saved(photo, "JPEG", progressive=True, quality=95),
        _saved(photo.convert("CMYK"), "JPEG"),
        _saved(photo.convert("L"), "JPEG"),
        _saved(photo.convert("RGBA"), "PNG", compress_level=1),
        _saved(small.convert("P"), "GIF", save_all=True, append_images=[small.rotate(90)]),
        _saved(photo, "WEBP", method=0),
        _saved(small, "AVIF", speed=10),
    ]


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def awkward(folder: Path) -> tuple[bytes, ...]:
    """Return files from the wild, where there are any."""
    files = sorted((folder / "awkward" / "files").glob("*"))
    return tuple(each.read_bytes() for each in files if each.is_file())
