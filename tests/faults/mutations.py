"""Broken picture files without end: each told by a seed and a number, so that it can be had again.

By hand, or to look at one that failed: ``python -m tests.faults.mutations SEED FIRST COUNT FILE``
reads so many as photos of a shopper and of a shop, and keeps the number it is at in FILE.
"""

from __future__ import annotations

import json
import mmap
import random
import struct
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Dice = random.Random
NUMBERS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1", b"\0\1\0\0")


@cache
def originals() -> tuple[bytes, ...]:
    """Small pictures of every format that is read, in all the ways it is commonly written."""
    photo = _photo()
    frames = [photo.rotate(30 * turn) for turn in range(3)]
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "camera" * 9
    beside: dict[str, Any] = {"exif": exif, "icc_profile": bytes(range(256)) * 2}
    film: dict[str, Any] = {"save_all": True, "append_images": frames, "duration": 40}
    return (
        *(_saved(photo, "JPEG", quality=quality, **beside) for quality in (30, 95)),
        _saved(photo, "JPEG", progressive=True, subsampling=2),
        _saved(photo.convert("CMYK"), "JPEG"),
        _saved(photo.convert("L"), "JPEG", restart_marker_rows=1),
        _saved(photo, "MPO", save_all=True, append_images=frames[:1]),
        _saved(photo, "PNG", **beside),
        _saved(photo.convert("RGBA"), "PNG", **film),
        _saved(photo.convert("P"), "PNG", transparency=3),
        _saved(Image.fromarray(np.arange(2400, dtype=np.uint16).reshape(40, 60)), "PNG"),
        _saved(photo.convert("1"), "PNG", bits=1),
        _saved(photo, "WEBP", **beside),
        _saved(photo.convert("RGBA"), "WEBP", lossless=True),
        _saved(photo, "WEBP", **film),
        _saved(photo.convert("P"), "GIF"),
        _saved(photo.convert("P"), "GIF", comment=b"x" * 600, **film),
        _saved(photo, "AVIF", exif=exif),
        _saved(photo, "AVIF", **film),
    )


def broken(seed: int, number: int) -> bytes:
    """Return one of the originals with one to four things done to it."""
    dice = random.Random(f"{seed}/{number}")
    data = dice.choice(originals())
    is_png = data.startswith(b"\x89PNG")
    for _ in range(dice.randint(1, 4)):
        data = dice.choice(WAYS)(dice, data)
    # else nearly every broken PNG would end at its first check sum
    return _summed_up(data) if is_png and dice.random() < 0.7 else data


def _photo() -> Image.Image:
    noise = Image.effect_noise((56, 40), 90)
    bands = [noise, noise.rotate(180), Image.linear_gradient("L").resize(noise.size)]
    return Image.merge("RGB", bands)


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _place(dice: Dice, data: bytes, *, most: int = 64) -> tuple[int, int]:
    """Return begin and end of some bytes, near the beginning as often as anywhere."""
    area = len(data) if dice.random() < 0.5 else min(len(data), 200)
    begin = dice.randrange(area) if area else 0
    return begin, min(len(data), begin + dice.randint(1, most))


def _bytes(dice: Dice, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.randint(1, 12)):
        if changed:
            changed[_place(dice, data)[0]] = dice.randrange(256)
    return bytes(changed)


def _bit(dice: Dice, data: bytes) -> bytes:
    changed = bytearray(data)
    if changed:
        changed[_place(dice, data)[0]] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _cut_off(dice: Dice, data: bytes) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def _cut_out(dice: Dice, data: bytes) -> bytes:
    begin, end = _place(dice, data)
    return data[:begin] + data[end:]


def _twice(dice: Dice, data: bytes) -> bytes:
    begin, end = _place(dice, data, most=512)
    return data[:end] + data[begin:end] * dice.choice([1, 1, 2, 40]) + data[end:]


def _put_in(dice: Dice, data: bytes) -> bytes:
    begin, _end = _place(dice, data)
    return data[:begin] + dice.randbytes(dice.randint(1, 40)) + data[begin:]


def _number(dice: Dice, data: bytes) -> bytes:
    begin, _end = _place(dice, data)
    written = dice.choice(NUMBERS)[: dice.choice([2, 4])]
    written = written[::-1] if dice.random() < 0.5 else written
    return data[:begin] + written + data[begin + len(written) :]


def _another(dice: Dice, data: bytes) -> bytes:
    other = dice.choice(originals())
    return data[: _place(dice, data)[0]] + other[_place(dice, other)[0] :]


def _summed_up(data: bytes) -> bytes:
    """Return a PNG with the check sums its chunks ought to have."""
    out, at = [data[:8]], 8
    while at + 12 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        body = data[at + 4 : at + 8 + length]
        if len(body) < 4 + length:
            break
        out.append(data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body)))
        at += 12 + length
    return b"".join(out) + data[at:]


WAYS: tuple[Callable[[Dice, bytes], bytes], ...] = (
    _bytes, _bit, _cut_off, _cut_out, _twice, _put_in, _number, _another,
)  # fmt: skip


def _read(data: bytes) -> str:
    """Return what becomes of a file: a mode, or a reason; web process and worker must agree."""
    from imgrec import encoding
    from imgrec.conf import settings
    from imgrec.errors import PictureError
    from imgrec.images import check_header
    from imgrec.testing import ColourGrid

    refused = None
    try:
        check_header(data, max_bytes=settings.max_upload_bytes)
    except PictureError as error:
        refused = error.code.value
    embedder = ColourGrid()
    try:
        encoding.embed(embedder, [encoding.decode(embedder, data)])
    except PictureError as error:
        return error.code.value if refused in (None, error.code.value) else f"not {refused}"
    return "read" if refused is None else f"not {refused}"


def main(seed: int, first: int, count: int, file: Path) -> None:
    import django

    django.setup()
    outcomes: Counter[str] = Counter()
    raised: list[tuple[int, str]] = []
    slowest = (0.0, -1)
    file.write_bytes(bytes(8))
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 8) as at:
        for number in range(first, first + count):
            at[:] = struct.pack("<q", number)
            data = broken(seed, number)
            started = time.process_time()
            try:
                outcomes[_read(data)] += 1
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                raised.append((number, repr(error)))
            slowest = max(slowest, (time.process_time() - started, number))
    print(json.dumps({"outcomes": outcomes, "raised": raised, "slowest": slowest}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), Path(sys.argv[4]))
