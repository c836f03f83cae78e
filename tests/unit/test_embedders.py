"""What holds for every embedder, and what a web process may ask of one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.exceptions import ImproperlyConfigured
from PIL import Image

from imgrec.embedders import EfficientNetLite0, Embedder, ResNet18, Timm, resolve
from imgrec.embedders.normalising import normalise
from imgrec.testing import ColourGrid

ROOT = Path(__file__).parents[2]


def test_rows_become_unit_vectors() -> None:
    rows = normalise([[3.0, 4.0], [1e-4, 0.0], [1e30, 1e30]])
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)
    assert np.allclose(rows[0], [0.6, 0.8])


@pytest.mark.parametrize("row", [[0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0], [1e-12, 0.0]])
def test_rows_without_features_become_nan_and_spare_the_others(row: list[float]) -> None:
    rows = normalise([[1.0, 0.0], row, [0.0, 2.0]])
    assert np.isnan(rows[1]).all()
    assert rows[[0, 2]].tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    "embedder",
    [
        ColourGrid(),
        ResNet18(),
        EfficientNetLite0(),
        Timm("resnet10t.c3_in1k", dimensions=512, pretrained=True),
    ],
    ids=lambda each: each.name,
)
def test_the_built_in_embedders_keep_the_protocol(embedder: Embedder) -> None:
    assert isinstance(embedder, Embedder)
    assert embedder.version.startswith(f"{embedder.name}-")
    assert embedder.dimensions > 0
    assert resolve(embedder) is embedder


def test_a_web_process_learns_all_it_needs_without_torch() -> None:
    script = (
        "import sys, django; django.setup()\n"
        "from imgrec.embedders import *\n"
        "import imgrec.testing\n"
        "timm = Timm('a.b', dimensions=1, pretrained=True)\n"
        "for each in (ResNet18(), EfficientNetLite0(), timm):\n"
        "    assert each.version and each.dimensions and each.name\n"
        "    each.available()\n"
        "heavy = {'torch', 'torchvision', 'timm', 'efficientnet_lite_pytorch', 'safetensors'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    environment = {name: os.environ[name] for name in ("DJANGO_SETTINGS_MODULE", "PYTHONPATH")}
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    assert answer.stdout.decode().strip() == "[]"


def test_resolve_takes_paths_instances_and_the_setting(settings: Any) -> None:
    settings.IMGREC = {"embedder": "imgrec.embedders.EfficientNetLite0"}
    assert resolve(None) == EfficientNetLite0()
    assert resolve("imgrec.testing.ColourGrid") == ColourGrid()
    assert resolve(f"{__name__}.SMALL") is SMALL


@pytest.mark.parametrize(
    "spec",
    [
        "imgrec.nowhere.Embedder",
        "imgrec.embedders.Nothing",
        "nodots",
        "imgrec.embedders.Timm",  # needs arguments
        "pathlib.Path",
        42,
        ColourGrid,  # a class is not an embedder yet
    ],
)
def test_resolve_refuses_what_is_no_embedder(spec: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="embedder"):
        resolve(spec)


def test_colour_grid_is_deterministic_and_keeps_order() -> None:
    pictures = [Image.effect_noise((40, 30), 90).convert("RGB") for _ in range(3)]
    rows = ColourGrid().embed(pictures)
    assert rows.shape == (3, ColourGrid().dimensions)
    assert rows.dtype == np.float32
    assert np.array_equal(rows[::-1], ColourGrid().embed(pictures[::-1]))


@pytest.mark.parametrize("colour", ["black", "white", (127, 127, 127), (128, 128, 128)])
def test_colour_grid_gives_flat_pictures_a_direction(colour: Any) -> None:
    (row,) = ColourGrid(2).embed([Image.new("RGB", (9, 9), colour)])
    assert np.linalg.norm(row) == pytest.approx(1)


def test_colour_grid_tells_colours_and_places_apart() -> None:
    left, right, red = (Image.new("RGB", (64, 64), each) for each in ("blue", "blue", "red"))
    left.paste("yellow", (0, 0, 32, 64))
    right.paste("yellow", (32, 0, 64, 64))
    first, second, third = ColourGrid().embed([left, right, red])
    almost = ColourGrid().embed([left.resize((80, 80))])[0]
    assert first @ almost > 0.99
    assert first @ second < 0.5
    assert first @ third < 0.5


def test_no_pictures_give_no_rows() -> None:
    assert ColourGrid().embed([]).shape == (0, 49)


SMALL = ColourGrid(2)
