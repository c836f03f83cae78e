"""Small files that cost much before their first pixel is seen, told from their bytes alone.

Pillow reads a file's blocks one by one, in Python: a few megabytes of tiny ones take seconds and
hundreds of megabytes. Real pictures stay far below every number here.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

# Segments before a JPEG's pixels, chunks of a PNG that hold none, extensions of a GIF.
MOST_BLOCKS = 4_096
# Chunks in all: those with a PNG's pixels have a few kilobytes each, a WebP has one a frame.
MOST_CHUNKS = 65_536
# Each is decompressed, to a megabyte at most.
MOST_PACKED = 8
MOST_TEXT_BYTES = 8_000_000
# Progressive pictures have about ten; each one visits all coefficients again.
MOST_SCANS = 100
MOST_TAGS = 1_024
MOST_EXIF_SEGMENTS = 64

_TEXTS = {b"tEXt", b"zTXt", b"iTXt", b"iCCP"}
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_TIFF = re.compile(rb"II\*\0|MM\0\*")


def is_flood(data: bytes, *, name: str) -> bool:
    """Say whether a file of this format (Pillow's name) has more parts than any picture needs."""
    look = _LOOKS.get(name)
    return look is not None and look(data)


def tags(exif: bytes, at: int = 0) -> int:
    """Return how many entries the first directory of EXIF data has that begins ``at`` bytes in."""
    order = {b"II": "<", b"MM": ">"}.get(exif[at : at + 2])
    if order is None or len(exif) < at + 8:
        return 0
    begins = at + int(struct.unpack_from(f"{order}I", exif, at + 4)[0])
    if begins + 2 > len(exif):
        return 0
    count = int(struct.unpack_from(f"{order}H", exif, begins)[0])
    return min(count, (len(exif) - begins - 2) // 12)


def _is_jpeg_flood(data: bytes) -> bool:
    exif: list[bytes] = []
    sequential, components = False, 0
    start = 2
    for count, (marker, start, end) in enumerate(_jpeg_segments(data)):
        if count >= MOST_BLOCKS or len(exif) > MOST_EXIF_SEGMENTS:
            return True
        if marker == 0xE1 and data.startswith(b"Exif\0\0", start):
            exif.append(data[start + 6 : end])
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            sequential, components = marker in (0xC0, 0xC1), _byte(data, start + 5)
    if tags(b"".join(exif)) > MOST_TAGS or data.count(b"8BIM", 0, start) > MOST_BLOCKS:
        return True
    if sequential and _byte(data, start) == components:
        return False  # one scan has it all, and decoders read no other
    return _has_many_scans(data, start)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, begin and end of what follows it, to the first scan; filling bytes as 0."""
    at = 2
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker in (0xFF, 0x00) or 0xD0 <= marker <= 0xD8:
            yield 0, at, at + 1
            at += 1
            continue
        end = at + 2 + max(int.from_bytes(data[at + 2 : at + 4]), 2)
        yield marker, at + 4, end
        if marker in (0xDA, 0xD9):
            return
        at = end


def _has_many_scans(data: bytes, at: int) -> bool:
    """Count scans from the first one's header on, to the end of the picture."""
    scans = 1
    for _ in range(MOST_BLOCKS):
        found = _MARKER.search(data, at)
        if found is None or data[found.start() + 1] == 0xD9:
            return False
        scans += data[found.start() + 1] == 0xDA
        if scans > MOST_SCANS:
            return True
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    return True


def _is_png_flood(data: bytes) -> bool:
    plain = packed = text_bytes = 0
    for count, (kind, at, length) in enumerate(_png_chunks(data)):
        plain += kind != b"IDAT"
        if kind in _TEXTS:
            text_bytes += length
            packed += _is_packed(data, kind, at)
        if count >= MOST_CHUNKS or plain > MOST_BLOCKS:
            return True
        if packed > MOST_PACKED or text_bytes > MOST_TEXT_BYTES:
            return True
    return False


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, begin and length of each chunk, up to an animation's second frame."""
    at = 8
    while at < len(data):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        yield kind, at + 8, length
        if kind in (b"IEND", b"fdAT"):
            return
        at += 12 + length


def _is_packed(data: bytes, kind: bytes, at: int) -> bool:
    if kind != b"iTXt":
        return kind != b"tEXt"
    keyword_ends = data.find(b"\0", at, at + 80)
    return keyword_ends < 0 or _byte(data, keyword_ends + 1) != 0


def _is_gif_flood(data: bytes) -> bool:
    return any(count >= MOST_BLOCKS for count, _ in enumerate(_gif_blocks(data)))


def _gif_blocks(data: bytes) -> Iterator[int]:
    """Yield the offset of each part of an extension, and of each stray byte, to the first frame."""
    flags = _byte(data, 10)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while at < len(data) and data[at] not in b",;":
        yield at
        if data[at] == 0x21:
            at += 2
            while length := _byte(data, at):
                yield at
                at += 1 + length
        at += 1


def _is_webp_flood(data: bytes) -> bool:
    at = 12
    for _ in range(MOST_CHUNKS):
        if at >= len(data):
            return False
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return True


def _is_avif_flood(data: bytes) -> bool:
    """Look for EXIF data: Pillow reads all of its entries as it opens an AVIF."""
    return any(tags(data, found.start()) > MOST_TAGS for found in _TIFF.finditer(data))


def _byte(data: bytes, at: int) -> int:
    return data[at] if at < len(data) else 0


_LOOKS: dict[str, Callable[[bytes], bool]] = {
    "JPEG": _is_jpeg_flood,
    "PNG": _is_png_flood,
    "GIF": _is_gif_flood,
    "WEBP": _is_webp_flood,
    "AVIF": _is_avif_flood,
}
