"""Small files that want to become huge: refused, in little memory, without touching Pillow."""

from __future__ import annotations

import struct
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageFile, PngImagePlugin

from imgrec.errors import PictureError
from imgrec.images import check_header, open_picture
from imgrec.reasons import Reason

ROOT = Path(__file__).parents[2]
MEMORY_MIB = 100


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    size: int, *, depth: int = 8, colour: int = 2, pixels: bytes = b"", extra: bytes = b""
) -> bytes:
    header = struct.pack(">IIBBBBB", size, size, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(pixels))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def one_bit(size: int) -> bytes:
    return png(size, depth=1, colour=0, pixels=bytes((size // 8 + 1) * size))


def text_chunks(each: int, count: int) -> bytes:
    packed = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(each), 9))
    return png(4, pixels=bytes(13 * 4), extra=packed * count)


def jpeg_flood() -> bytes:
    return b"\xff\xd8\xff\xe0\0\x02" + b"\xff\xef\0\x02" * 2_000_000 + b"\xff\xd9"


def png_flood() -> bytes:
    return png(4, pixels=bytes(13 * 4), extra=chunk(b"prVt", b"") * 200_000)


def gif_frame_beyond_its_screen() -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b"\x02\x00;"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + frame


BOMBS: dict[str, tuple[Callable[[], bytes], Reason]] = {
    "one bit, 13000 x 13000": (lambda: one_bit(13_000), Reason.TOO_MANY_PIXELS),
    "header, 65535 x 65535": (lambda: png(65_535), Reason.TOO_MANY_PIXELS),
    "one text chunk of 200 MB": (lambda: text_chunks(200_000_000, 1), Reason.DAMAGED),
    "90 text chunks of 1 MB": (lambda: text_chunks(1_000_000, 90), Reason.DAMAGED),
    "two million JPEG segments": (jpeg_flood, Reason.DAMAGED),
    "200,000 PNG chunks": (png_flood, Reason.DAMAGED),
    "GIF frame beyond its screen": (gif_frame_beyond_its_screen, Reason.TOO_MANY_PIXELS),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("reader", [open_picture, check_header])
def test_bombs_are_refused(name: str, reader: Callable[[bytes], object]) -> None:
    make, reason = BOMBS[name]
    with pytest.raises(PictureError) as caught:
        reader(make())
    assert caught.value.code == reason


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_need_little_memory(name: str, tmp_path: Path) -> None:
    file = tmp_path / "bomb"
    file.write_bytes(BOMBS[name][0]())
    script = (
        "import resource, sys, django; django.setup()\n"
        "from imgrec.images import PictureError, open_picture\n"
        "data = open(sys.argv[1], 'rb', 0).read()\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = peak()\n"
        "try: open_picture(data)\n"
        "except PictureError: print(peak() - before)\n"
    )
    command = [sys.executable, "-c", script, str(file)]
    answer = subprocess.run(command, cwd=ROOT, env=_environment(), capture_output=True, check=True)
    assert int(answer.stdout) < MEMORY_MIB


def test_a_shop_may_allow_more_than_pillow_warns_about() -> None:
    data = one_bit(9_600)
    assert (Image.MAX_IMAGE_PIXELS or 0) < 9_600**2
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        check_header(data, max_pixels=100_000_000)
    assert heard == []


def test_pillow_and_the_warning_filters_are_left_as_they_were() -> None:
    def state() -> tuple[object, ...]:
        return (
            Image.MAX_IMAGE_PIXELS,
            ImageFile.LOAD_TRUNCATED_IMAGES,
            PngImagePlugin.MAX_TEXT_CHUNK,
            PngImagePlugin.MAX_TEXT_MEMORY,
            list(warnings.filters),
        )

    before = state()
    open_picture(png(2, pixels=bytes(14)))
    with pytest.raises(PictureError):
        open_picture(png(65_535))
    assert state() == before


def _environment() -> dict[str, str]:
    return {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT)}
