"""Photos as large as wanted: those of the test data, enlarged, with the noise of a camera."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

QUALITY = 90  # about what phones write
NOISE = 3.0  # of 255; what enlarging leaves smooth would decode faster than a photo
TILE = 512


def catalogue() -> list[Path]:
    """Return the labelled photos of the test data."""
    shared = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("IMGREC_TEST_DATA") or shared) / "catalog"
    found = sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".png", ".webp"))
    if not found:
        raise SystemExit(f"No photos in {folder}: IMGREC_TEST_DATA names another folder.")
    return found


def make(folder: Path, count: int, *, megapixels: float, distinct: int = 40) -> list[Path]:
    """Write ``count`` JPEGs of that size, no two of the same bytes; return their paths.

    Beyond ``distinct`` they are copies with a few bytes more after their end, which no decoder
    reads: they cost the same work, and nobody takes one for another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = catalogue()
    chosen = [sources[i * len(sources) // distinct] for i in range(distinct)]
    bodies: list[bytes] = []
    paths = []
    for number in range(count):
        path = folder / f"{megapixels:g}-{number:05d}.jpg"
        if number < distinct:
            enlarged(chosen[number], megapixels, seed=number).save(path, quality=QUALITY)
            bodies.append(path.read_bytes())
        else:
            path.write_bytes(bodies[number % distinct] + b"%08d" % number)
        paths.append(path)
    return paths


def enlarged(path: Path, megapixels: float, *, seed: int) -> Image.Image:
    """Return a photo scaled to that area, with noise."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    scale = (megapixels * 1e6 / (picture.width * picture.height)) ** 0.5
    size = (round(picture.width * scale), round(picture.height * scale))
    pixels = np.asarray(picture.resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
    tile = np.random.default_rng(seed).normal(0, NOISE, (TILE, TILE, 3)).round().astype(np.int16)
    repeats = (-(-size[1] // TILE), -(-size[0] // TILE), 1)
    pixels += np.tile(tile, repeats)[: size[1], : size[0]]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
