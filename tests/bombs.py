"""Small files that want to become huge, or to keep a reader busy for ever."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image

from imgrec.reasons import Reason

TAGS = 60_000
FRAMES = 10_000


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    size: int | tuple[int, int],
    *,
    depth: int = 8,
    colour: int = 2,
    pixels: bytes = b"",
    extra: bytes = b"",
    after: bytes = b"",
) -> bytes:
    width, height = size if isinstance(size, tuple) else (size, size)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(pixels)) + after
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def small(*, extra: bytes = b"", after: bytes = b"") -> bytes:
    """A PNG of 4 x 4 pixels that would open, were it not for what is beside them."""
    return png(4, pixels=bytes(13 * 4), extra=extra, after=after)


def saved(kind: str, size: int = 64, **options: Any) -> bytes:
    out = BytesIO()
    Image.effect_noise((size, size), 60).convert("RGB").save(out, kind, **options)
    return out.getvalue()


def one_bit(size: int) -> bytes:
    return png(size, depth=1, colour=0, pixels=bytes((size // 8 + 1) * size))


def sliver() -> bytes:
    return png((1, 40_000_000), depth=1, colour=0, pixels=bytes(2 * 40_000_000))


def text_chunks(each: int, count: int, kind: bytes = b"zTXt") -> bytes:
    return small(extra=chunk(kind, b"a\0\0" + zlib.compress(bytes(each), 9)) * count)


def plain_text(size: int) -> bytes:
    return small(extra=chunk(b"tEXt", b"a\0" + b"x" * size))


def png_flood() -> bytes:
    return small(extra=chunk(b"prVt", b"") * 200_000)


def animated_png() -> bytes:
    def control(number: int) -> bytes:
        place = struct.pack(">IIIIIHHBB", number, 4, 4, 0, 0, 1, 10, 0, 0)
        return chunk(b"fcTL", place)

    pixels = zlib.compress(bytes(13 * 4))
    later = [
        control(2 * i + 1) + chunk(b"fdAT", struct.pack(">I", 2 * i + 2) + pixels)
        for i in range(FRAMES - 1)
    ]
    many = chunk(b"acTL", struct.pack(">II", FRAMES, 0))
    return small(extra=many + control(0), after=b"".join(later))


def jpeg_header() -> bytes:
    return saved("JPEG", progressive=True).replace(
        b"\x08\x00\x40\x00\x40\x03", b"\x08\xff\xff\xff\xff\x03"
    )


def jpeg_scans(count: int = 1_000, *, size: int = 2048) -> bytes:
    """A JPEG of one colour, whose last scan, of a few bytes, comes again and again."""
    out = BytesIO()
    Image.new("RGB", (size, size), (90, 60, 200)).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + data[-2:]


def jpeg_flood() -> bytes:
    return b"\xff\xd8\xff\xe0\0\x02" + b"\xff\xef\0\x02" * 2_000_000 + b"\xff\xd9"


def photoshop_flood() -> bytes:
    resources = b"Photoshop 3.0\0" + (b"8BIM" + bytes(8)) * 5_000
    segment = b"\xff\xed" + struct.pack(">H", len(resources) + 2) + resources
    data = saved("JPEG")
    return data[:2] + segment * 100 + data[2:]


def exif(count: int = TAGS) -> bytes:
    entries = b"".join(struct.pack("<HHII", i, 3, 1, 7) for i in range(count))
    return b"II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4)


def jpeg_of_tags() -> bytes:
    data, tags = saved("JPEG"), exif()
    parts = [b"Exif\0\0" + tags[at : at + 60_000] for at in range(0, len(tags), 60_000)]
    segments = [b"\xff\xe1" + struct.pack(">H", len(each) + 2) + each for each in parts]
    return data[:2] + b"".join(segments) + data[2:]


def gif(extra: bytes, frame: bytes = b"\x2c" + bytes(4) + b"\1\0\1\0\0") -> bytes:
    screen = struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    return b"GIF89a" + screen + extra + frame + b"\x02\x02\x44\x01\0;"


def gif_frame_beyond_its_screen() -> bytes:
    return gif(b"", b"\x2c" + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0))


def gif_frames() -> bytes:
    frame = b"\x2c" + bytes(4) + b"\1\0\1\0\0" + b"\x02\x02\x44\x01\0"
    return gif(frame * (FRAMES - 1))


def animated_webp(*, side: int = 4) -> bytes:
    canvas = struct.pack("<I", side - 1)[:3] * 2
    one = saved("WEBP", 4, lossless=True)[12:]
    place = bytes(6) + b"\3\0\0\3\0\0" + bytes(4)
    frame = b"ANMF" + struct.pack("<I", len(place) + len(one)) + place + one
    body = b"VP8X" + struct.pack("<II", 10, 2) + canvas
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6) + frame * FRAMES
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_flood() -> bytes:
    data = saved("WEBP") + b"prVt\0\0\0\0" * 500_000
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


# What becomes of each: a reason, or None where the first frame is harmless and may be read.
BOMBS: dict[str, tuple[Callable[[], bytes], Reason | None]] = {
    "one bit, 9400 x 9400": (lambda: one_bit(9_400), Reason.TOO_MANY_PIXELS),
    "one bit, 13000 x 13000": (lambda: one_bit(13_000), Reason.TOO_MANY_PIXELS),
    "1 x 40,000,000": (sliver, Reason.TOO_MANY_PIXELS),
    "PNG header, 65535 x 65535": (lambda: png(65_535), Reason.TOO_MANY_PIXELS),
    "JPEG header, 65535 x 65535": (jpeg_header, Reason.TOO_MANY_PIXELS),
    "WebP canvas, 16384 x 16384": (lambda: animated_webp(side=16_384), Reason.TOO_MANY_PIXELS),
    "GIF frame beyond its screen": (gif_frame_beyond_its_screen, Reason.TOO_MANY_PIXELS),
    "JPEG of 1,000 scans": (jpeg_scans, Reason.DAMAGED),
    "GIF of 10,000 frames": (gif_frames, None),
    "WebP of 10,000 frames": (animated_webp, None),
    "APNG of 10,000 frames": (animated_png, None),
    "one text chunk of 200 MB": (lambda: text_chunks(200_000_000, 1), Reason.DAMAGED),
    "90 text chunks of 1 MB": (lambda: text_chunks(1_000_000, 90), Reason.DAMAGED),
    "18 MB of plain text": (lambda: plain_text(18_000_000), Reason.DAMAGED),
    "ICC profile of 200 MB": (lambda: text_chunks(200_000_000, 1, b"iCCP"), Reason.DAMAGED),
    "60,000 EXIF tags in a PNG": (lambda: small(extra=chunk(b"eXIf", exif())), None),
    "60,000 EXIF tags in a WebP": (lambda: saved("WEBP", exif=exif()), None),
    "60,000 EXIF tags in a JPEG": (jpeg_of_tags, Reason.DAMAGED),
    "60,000 EXIF tags in an AVIF": (lambda: saved("AVIF", exif=exif()), Reason.DAMAGED),
    "two million JPEG segments": (jpeg_flood, Reason.DAMAGED),
    "500,000 Photoshop resources": (photoshop_flood, Reason.DAMAGED),
    "200,000 PNG chunks": (png_flood, Reason.DAMAGED),
    "500,000 WebP chunks": (webp_flood, Reason.DAMAGED),
    "a million GIF comments": (lambda: gif(b"!\xfe\1x\0" * 1_000_000), Reason.DAMAGED),
    "a GIF comment in a million parts": (
        lambda: gif(b"!\xfe" + b"\1x" * 1_000_000 + b"\0"),
        Reason.DAMAGED,
    ),
}
