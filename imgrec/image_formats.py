"""What a file is, told from its first bytes: no decoder sees a file we did not choose it for."""

from __future__ import annotations

from PIL import features

_OTHER_PICTURES = (
    b"BM", b"II*\0", b"MM\0*", b"II+\0", b"8BPS", b"\0\0\1\0", b"\0\0\2\0", b"/* XPM",
    b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51", b"\0\0\0\x0cJXL ", b"\xff\x0a", b"qoif", b"DDS ",
    b"P1\n", b"P2\n", b"P3\n", b"P4\n", b"P5\n", b"P6\n", b"P7\n", b"%!PS", b"%PDF",
)  # fmt: skip


def allowed() -> tuple[str, ...]:
    """Return Pillow's names of the formats we read, best known first."""
    always = ("JPEG", "PNG", "WEBP", "GIF")
    return (*always, "AVIF") if features.check("avif") else always


def sniff(data: bytes) -> str | None:
    """Return Pillow's name of the format, ``"other"`` for a picture of another one, or None."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return _sniff_other(data)


def buffers(data: bytes) -> int:
    """Return how many times all pixels are in memory, at 4 bytes each, while they are decoded."""
    # Pillow takes a WebP for an animation: a canvas, the frame before, and a copy.
    return 3 if sniff(data) == "WEBP" else 1


def _sniff_other(data: bytes) -> str | None:
    if data[4:8] == b"ftyp":
        brands = data[8 : min(int.from_bytes(data[:4]), 256)]
        return "AVIF" if b"avif" in brands or b"avis" in brands else "other"
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    is_svg = head.startswith(b"<svg") or (head.startswith(b"<?xml") and b"<svg" in head)
    return "other" if is_svg or data.startswith(_OTHER_PICTURES) else None
