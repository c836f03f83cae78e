"""The square a network looks at: torchvision's pixels, without computing those that are cut off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgrec.embedders import EfficientNetLite0, ResNet18, Staged, scaling
from imgrec.embedders.framing import Frame, without_far_ends
from imgrec.images import KEPT_SIDE, decoded_side, open_picture
from imgrec.testing import ColourGrid

SIZES = [
    (1, 1),
    (224, 224),
    (256, 256),
    (255, 257),
    (300, 260),
    (640, 481),
    (90, 1441),
    (1153, 867),
]


@pytest.mark.parametrize("resample", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
@pytest.mark.parametrize("size", SIZES)
def test_the_square_is_torchvisions(size: tuple[int, int], resample: Image.Resampling) -> None:
    transforms = pytest.importorskip("torchvision.transforms")
    # Mid tones: overshoots that are clipped between two passes depend on which comes first.
    noise = np.random.default_rng(3).integers(64, 192, (size[1], size[0], 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    theirs = transforms.Compose(
        [
            transforms.Resize(
                256, interpolation=transforms.InterpolationMode(resample.name.lower())
            ),
            transforms.CenterCrop(224),
        ]
    )
    ours = Frame(resample=resample).cut(picture)
    assert ours.shape == (224, 224, 3)
    assert ours.dtype == np.uint8
    difference = np.abs(ours.astype(int) - np.asarray(theirs(picture), dtype=int))
    assert difference.max() <= 2  # weights rounded the other way


@pytest.mark.parametrize("resample", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
@pytest.mark.parametrize("size", [*SIZES, (224, 4000), (3, 5)])
def test_torch_scales_to_the_same_square(size: tuple[int, int], resample: Image.Resampling) -> None:
    pytest.importorskip("torch")
    noise = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    picture, frame = Image.fromarray(noise), Frame(resample=resample)
    ours, pillows = scaling.cut(frame, picture), frame.cut(picture)
    assert (ours.shape, ours.dtype) == ((224, 224, 3), np.uint8)
    difference = np.abs(ours.astype(int) - pillows.astype(int))
    assert (difference > 2).mean() < 0.001, "overshoots that are clipped between two passes"
    assert difference.mean() < 0.3


@pytest.mark.parametrize("processor", ["DEFAULT", "AVX512"])
def test_pillow_scales_where_torch_has_no_way_of_its_own(
    monkeypatch: pytest.MonkeyPatch, processor: str
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: processor)
    calls = []
    real = torch.nn.functional.interpolate
    monkeypatch.setattr(
        torch.nn.functional, "interpolate", lambda *a, **k: calls.append(1) or real(*a, **k)
    )
    scaling.cut(Frame(), Image.new("RGB", (600, 400), "teal"))
    assert len(calls) == (processor == "AVX512")


def test_a_real_photo_is_framed_as_by_torchvision(shared_data: Path) -> None:
    transforms = pytest.importorskip("torchvision.transforms")
    picture = open_picture((shared_data / "awkward/files/exif_portrait_1.jpg").read_bytes())
    theirs = transforms.CenterCrop(224)(transforms.Resize(256)(picture))
    difference = np.abs(Frame().cut(picture).astype(int) - np.asarray(theirs, dtype=int))
    assert difference.max() <= 1


@pytest.mark.parametrize("size", [(20_000, 1), (1, 20_000)])
def test_slivers_are_cut_without_scaling_them_whole(size: tuple[int, int]) -> None:
    assert (Frame().cut(Image.new("RGB", size, "teal")) == (0, 128, 128)).all()


@pytest.mark.parametrize("embedder", [ResNet18(), EfficientNetLite0()], ids=lambda each: each.name)
def test_built_in_encoders_decode_to_more_than_twice_their_side(embedder: object) -> None:
    assert isinstance(embedder, Staged)
    assert decoded_side(embedder) == 704


def test_other_embedders_keep_large_pictures() -> None:
    assert not isinstance(ColourGrid(), Staged)
    assert decoded_side(ColourGrid()) == KEPT_SIDE


@pytest.mark.parametrize(
    ("size", "kept"),
    [
        ((400, 300), (400, 300)),
        ((1600, 100), (1600, 100)),
        ((4000, 1), (16, 1)),
        ((2, 999), (2, 32)),
    ],
)
def test_only_extremely_long_pictures_lose_their_ends(
    size: tuple[int, int], kept: tuple[int, int]
) -> None:
    assert without_far_ends(Image.new("RGB", size)).size == kept


def test_the_centre_of_a_sliver_is_kept() -> None:
    picture = Image.new("RGB", (400, 1))
    picture.putpixel((200, 0), (255, 255, 255))
    assert without_far_ends(picture).getpixel((8, 0)) == (255, 255, 255)
