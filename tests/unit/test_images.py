"""From bytes to an upright RGB picture on white: every mode that shops upload."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from imgrec.errors import PictureError
from imgrec.images import check_header, open_picture
from imgrec.reasons import Reason

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def corners() -> Image.Image:
    """Four colours, wider than high: no turn or mirror image of it looks the same."""
    picture = Image.new("RGB", (96, 64), "white")
    for box, colour in (((0, 0), RED), ((48, 0), GREEN), ((0, 32), BLUE)):
        picture.paste(colour, (*box, box[0] + 48, box[1] + 32))
    return picture


def reason_of(data: bytes, **limits: int) -> Reason:
    with pytest.raises(PictureError) as caught:
        open_picture(data, **limits)
    return caught.value.code


UNDOES = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # orientation -> the Transpose that makes it


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(10))
def test_every_orientation_comes_out_upright(kind: str, orientation: int) -> None:
    stored = corners()
    if orientation in UNDOES:
        stored = stored.transpose(Image.Transpose(UNDOES[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = open_picture(encoded(stored, kind, exif=exif, quality=95))
    assert picture.size == (96, 64)
    difference = np.abs(np.asarray(picture, dtype=int) - np.asarray(corners(), dtype=int))
    assert difference.mean() < 4


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0"]
)
def test_unreadable_exif_is_ignored(exif: bytes) -> None:
    assert open_picture(encoded(corners(), "JPEG", exif=exif)).size == (96, 64)


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(struct.pack("<HI4s", 2, 2, b"6\0"), id="text"),
        pytest.param(struct.pack("<HII", 4, 1, 70_000), id="too large"),
        pytest.param(struct.pack("<Hii", 9, 1, -6), id="negative"),
        pytest.param(struct.pack("<HIf", 11, 1, 6.5), id="a fraction"),
        pytest.param(struct.pack("<HII", 5, 1, 9_999), id="beyond the end"),
    ],
)
def test_nonsense_orientations_leave_the_picture_alone(entry: bytes) -> None:
    directory = struct.pack("<HH", 1, 0x0112) + entry + bytes(4)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + directory
    assert open_picture(encoded(corners(), "JPEG", exif=exif)).size == (96, 64)


@pytest.mark.parametrize(
    ("mode", "clear", "kind"),
    [
        ("RGBA", (255, 0, 0, 0), "PNG"),
        ("LA", (0, 0), "PNG"),
        ("RGBA", (255, 0, 0, 0), "WEBP"),
        ("RGBA", (255, 0, 0, 0), "AVIF"),
    ],
)
def test_hidden_colours_turn_white(mode: str, clear: Any, kind: str) -> None:
    picture = Image.new(mode, (8, 8), clear)
    assert open_picture(encoded(picture, kind)).getpixel((3, 3)) == (255, 255, 255)


def test_half_transparent_red_on_white_is_pink() -> None:
    picture = open_picture(encoded(Image.new("RGBA", (4, 4), (255, 0, 0, 128))))
    assert picture.getpixel((0, 0)) == (255, 127, 127)


@pytest.mark.parametrize(("mode", "colour", "clear"), [("RGB", RED, RED), ("L", 7, 7), ("1", 0, 0)])
def test_a_transparent_colour_turns_white(mode: str, colour: Any, clear: Any) -> None:
    data = encoded(Image.new(mode, (4, 4), colour), transparency=clear)
    assert open_picture(data).getpixel((1, 1)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_palette_entry_turns_white(kind: str) -> None:
    picture = Image.new("P", (8, 8), 1)
    picture.putpalette([*GREEN, *RED])
    picture.putpixel((0, 0), 0)
    result = open_picture(encoded(picture, kind, transparency=1))
    assert result.getpixel((4, 4)) == (255, 255, 255)
    assert result.getpixel((0, 0)) == GREEN


def test_partly_transparent_palettes_are_blended() -> None:
    picture = Image.new("P", (2, 2), 1)
    picture.putpalette([*GREEN, *RED])
    data = encoded(picture, transparency=bytes([255, 128]))
    assert open_picture(data).getpixel((0, 0)) == (255, 127, 127)


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65_535, 64, dtype=np.uint16).reshape(8, 8)
    result = np.asarray(open_picture(encoded(Image.fromarray(ramp))))
    assert np.array_equal(result[..., 0], ramp // 257)


def test_16_bit_grey_knows_its_transparent_value() -> None:
    values = np.full((2, 2), 1000, dtype=np.uint16)
    values[0, 0] = 2000
    data = encoded(Image.fromarray(values))
    cut = data.index(b"IDAT") - 4
    clear = b"tRNS" + (1000).to_bytes(2)
    chunk = (2).to_bytes(4) + clear + zlib.crc32(clear).to_bytes(4)
    picture = open_picture(data[:cut] + chunk + data[cut:])
    assert picture.getpixel((1, 1)) == (255, 255, 255)
    assert picture.getpixel((0, 0)) == (7, 7, 7)


def test_cmyk_keeps_its_colours() -> None:
    data = encoded(Image.new("RGB", (16, 16), (200, 40, 60)).convert("CMYK"), "JPEG", quality=95)
    assert np.abs(np.asarray(open_picture(data)).mean((0, 1)) - (200, 40, 60)).max() < 3


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_the_first_frame_counts(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, GREEN, BLUE)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    pixel = open_picture(data).getpixel((8, 8))
    assert np.abs(np.subtract(pixel, RED)).max() < 4


def test_multi_picture_jpegs_open_as_their_first() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    data = encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert np.abs(np.subtract(open_picture(data).getpixel((8, 8)), RED)).max() < 4


@pytest.mark.parametrize("size", [(4000, 1), (1, 4000), (1, 1)])
def test_slivers_and_single_pixels_open(size: tuple[int, int]) -> None:
    assert open_picture(encoded(Image.new("RGB", size, RED))).size == size


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_short_side_reduces_but_never_below(kind: str) -> None:
    data = encoded(corners().resize((2000, 1500)), kind)
    picture = open_picture(data, short_side=256)
    assert picture.mode == "RGB"
    assert 256 <= min(picture.size) < 512
    assert open_picture(encoded(corners(), kind), short_side=256).size == (96, 64)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY_FILE),
        (b"<html>Not Found</html>", Reason.NOT_AN_IMAGE),
        (b"\0" * 100, Reason.NOT_AN_IMAGE),
        (b"\xff\xd8\xff", Reason.DAMAGED),
        (b"\x89PNG\r\n\x1a\n", Reason.DAMAGED),
        (b"GIF89a", Reason.DAMAGED),
        (b"RIFF\0\0\0\0WEBP", Reason.DAMAGED),
        (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", Reason.DAMAGED),
        (b"\0\0\0\x18ftypheic\0\0\0\0heicmif1", Reason.FORMAT_NOT_ALLOWED),
        (b'<?xml version="1.0"?><svg/>', Reason.FORMAT_NOT_ALLOWED),
        (b"BM" + b"\0" * 60, Reason.FORMAT_NOT_ALLOWED),
    ],
)
def test_bad_files_name_their_reason(data: bytes, reason: Reason) -> None:
    assert reason_of(data) == reason
    with pytest.raises(PictureError) as caught:
        check_header(data)
    assert caught.value.code == reason
    assert str(caught.value) == str(reason.advice)


def test_limits_are_checked_before_decoding() -> None:
    data = encoded(Image.new("RGB", (100, 50)))
    assert reason_of(data, max_bytes=len(data) - 1) == Reason.FILE_TOO_LARGE
    assert reason_of(data, max_pixels=4_999) == Reason.TOO_MANY_PIXELS
    check_header(data, max_bytes=len(data), max_pixels=5_000)


def test_limits_default_to_the_settings(settings: Any) -> None:
    settings.IMGREC = {"max_pixels": 10}
    assert reason_of(encoded(Image.new("RGB", (4, 4)))) == Reason.TOO_MANY_PIXELS
    settings.IMGREC = {"max_file_bytes": 10}
    assert reason_of(encoded(Image.new("RGB", (4, 4)))) == Reason.FILE_TOO_LARGE


def test_a_file_cut_off_passes_its_header_and_fails_to_open() -> None:
    noise = Image.effect_noise((200, 200), 80).convert("RGB")
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "AVIF"):
        data = encoded(noise, kind)
        assert reason_of(data[: len(data) // 2]) == Reason.DAMAGED


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_damaged_bytes_only_ever_raise_picture_errors(kind: str) -> None:
    rng = random.Random(kind)
    good = encoded(corners(), kind, save_all=kind == "GIF")
    outcomes = set()
    for _ in range(150):
        data = bytearray(good)
        for _ in range(rng.randint(1, 12)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            outcomes.add(open_picture(bytes(data)).mode)
        except PictureError as error:
            outcomes.add(error.code.value)
    assert "RGB" in outcomes
    assert outcomes - {"RGB"}


def test_a_workers_time_limit_is_not_the_pictures_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    class TimeLimitError(Exception): ...

    def interrupted(*args: object, **kwargs: object) -> None:
        raise TimeLimitError

    data = encoded(corners())
    monkeypatch.setattr(Image, "open", interrupted)
    with pytest.raises(TimeLimitError):
        open_picture(data)


def test_running_out_of_memory_fails_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(self: ImageFile.ImageFile) -> None:
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", exhausted)
    assert reason_of(encoded(corners())) == Reason.TOO_MANY_PIXELS
