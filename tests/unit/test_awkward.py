"""102 awkward files from the wild: each opens upright, or says why it does not."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL.Image import Image

from imgrec.errors import PictureError
from imgrec.images import open_picture
from imgrec.reasons import Reason

READ = {"JPEG", "MPO", "PNG", "WEBP", "GIF", "AVIF"}


@pytest.fixture(scope="module")
def awkward(shared_data: Path) -> Path:
    return shared_data / "awkward"


def outcome(data: bytes) -> Image | Reason:
    try:
        return open_picture(data)
    except PictureError as error:
        return error.code


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_file_opens_or_says_why_not(awkward: Path) -> None:
    wrong = []
    for row in rows(awkward):
        result = outcome((awkward / row["file"]).read_bytes())
        kind, loads = row["pillow_format"], row["pillow_13_load"] == "ok"
        expected = "picture" if loads and kind in READ else "a reason"
        found = "a reason" if isinstance(result, Reason) else "picture"
        if found != expected or (kind and kind not in READ and result != "format_not_allowed"):
            wrong.append((row["file"], expected, result))
    assert wrong == []


def test_the_reasons_add_up(awkward: Path) -> None:
    results = [outcome((awkward / row["file"]).read_bytes()) for row in rows(awkward)]
    pictures = [each for each in results if not isinstance(each, Reason)]
    assert {each.mode for each in pictures} == {"RGB"}
    assert Counter(each.value for each in results if isinstance(each, Reason)) == {
        "format_not_allowed": 17,
        "damaged": 10,
        "too_many_pixels": 3,
        "not_an_image": 2,
        "empty_file": 1,
    }
    assert len(results) == 102


@pytest.mark.parametrize("shape", ["landscape", "portrait"])
def test_all_orientations_show_the_same_scene(awkward: Path, shape: str) -> None:
    files = [awkward / "files" / f"exif_{shape}_{number}.jpg" for number in range(1, 9)]
    scenes = [open_picture(each.read_bytes()) for each in files]
    small = [np.asarray(each.resize((60, 60)), dtype=float) for each in scenes]
    assert {each.size for each in scenes} == {scenes[0].size}
    assert max(np.abs(each - small[0]).mean() for each in small) < 2


@pytest.mark.parametrize(
    "name", ["cmyk.jpg", "palette.png", "progressive.jpg", "lossless.webp", "trailing.jpg"]
)
def test_one_dress_in_many_files_stays_the_same_dress(awkward: Path, name: str) -> None:
    dress, other = (
        np.asarray(open_picture((awkward / "files" / f"dress_{each}").read_bytes()), dtype=float)
        for each in ("png_named.jpg", name)
    )
    assert np.abs(dress - other).mean() < 6


def test_a_16_bit_dress_looks_like_its_8_bit_self(awkward: Path) -> None:
    deep, grey = (
        np.asarray(open_picture((awkward / "files" / name).read_bytes()), dtype=float)
        for name in ("dress_16bit_gray.png", "dress_gray.jpg")
    )
    assert np.abs(deep - grey).mean() < 6
