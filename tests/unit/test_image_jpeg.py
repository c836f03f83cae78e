"""simplejpeg gives Pillow's pixels, or leaves the file to Pillow."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgrec import image_jpeg
from imgrec.errors import PictureError
from imgrec.images import open_picture

pytest.importorskip("simplejpeg")


def photo(mode: str = "RGB", size: tuple[int, int] = (1301, 999), **options: Any) -> bytes:
    """A JPEG with something at every scale, of odd sizes."""
    rng = np.random.default_rng(5)
    rough = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    fine = rng.normal(0, 9, (size[1], size[0], 3))
    pixels = (np.asarray(rough.resize(size)) + fine).clip(0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def by_pillow(monkeypatch: pytest.MonkeyPatch, data: bytes, **options: Any) -> Any:
    with monkeypatch.context() as alone:
        alone.setattr(image_jpeg, "_simplejpeg", lambda: None)
        try:
            return np.asarray(open_picture(data, **options))
        except PictureError as error:
            return error.code


def by_both(data: bytes, **options: Any) -> Any:
    try:
        return np.asarray(open_picture(data, **options))
    except PictureError as error:
        return error.code


@pytest.mark.parametrize("short_side", [None, 1024, 512, 256, 100])
@pytest.mark.parametrize(
    "options",
    [
        {"quality": 75},
        {"quality": 95, "subsampling": 0},
        {"quality": 85, "subsampling": 1},
        {"progressive": True},
        {"mode": "L"},
    ],
    ids=str,
)
def test_the_pixels_are_pillows(
    options: dict[str, Any], short_side: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = photo(**options)
    assert image_jpeg.decode(data, size=(1301, 999), short_side=short_side) is not None
    ours = by_both(data, short_side=short_side)
    assert np.array_equal(ours, by_pillow(monkeypatch, data, short_side=short_side))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(photo("CMYK", (64, 48)), id="cmyk"),
        pytest.param(photo(size=(64, 48))[:-40], id="cut off"),
        pytest.param(photo(size=(64, 48))[:700], id="header only"),
        pytest.param(photo(size=(64, 48)).replace(b"\xff\xd9", b""), id="no end"),
    ],
)
def test_what_it_cannot_read_without_complaint_is_pillows(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert image_jpeg.decode(data, size=(64, 48), short_side=None) is None
    ours, theirs = by_both(data), by_pillow(monkeypatch, data)
    assert np.array_equal(ours, theirs)


def test_a_size_that_pillow_did_not_see_is_not_decoded() -> None:
    assert image_jpeg.decode(photo(size=(64, 48)), size=(63, 48), short_side=None) is None


def test_damaged_bytes_end_as_they_would_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    good = photo(size=(64, 48))
    for _ in range(150):
        data = np.frombuffer(good, np.uint8).copy()
        where = rng.integers(2, len(data), rng.integers(1, 6))
        data[where] = rng.integers(0, 256, len(where))
        ours, theirs = by_both(data.tobytes()), by_pillow(monkeypatch, data.tobytes())
        assert np.array_equal(ours, theirs)


def test_awkward_files_end_as_they_would_without_it(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sorted((shared_data / "awkward" / "files").glob("*.jp*g"))
    assert files
    for file in files:
        data = file.read_bytes()
        ours, theirs = by_both(data), by_pillow(monkeypatch, data)
        assert np.array_equal(ours, theirs), file.name
