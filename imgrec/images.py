"""From bytes to a safe, upright RGB picture.

Files come from people we do not know. Their size and format are checked from the header before
any decoder runs, and whatever goes wrong is one typed error, ``PictureError``, with a reason code.
Nothing here changes Pillow's global settings: they belong to the host's process.
"""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image

from imgrec import image_floods, image_formats, image_modes
from imgrec.conf import settings
from imgrec.errors import PictureError
from imgrec.reasons import Reason

# What Pillow's readers have been seen to raise on bad files. Not ``Exception``: a worker's time
# limit arrives as one and is not the picture's fault.
DECODER_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, LookupError, OSError,
    RuntimeError, SyntaxError, TypeError, ValueError, Warning, struct.error, zlib.error,
)  # fmt: skip

# Encoders look at 224 to 256 pixels: unless one says otherwise, photos are kept at four times that,
# in the index and as a query alike, so that the same photo has the same vector.
KEPT_SIDE = 1024

# The most that JPEG, GIF and AVIF can say; only a PNG can say more.
MOST_SIDE = 65_536
# EXIF that ImageMagick writes as text, in hexadecimal.
RAW_EXIF = "Raw profile type exif"
MOST_RAW_EXIF = 131_072

# warnings.catch_warnings changes the whole process and does not nest across threads.
_quiet_lock = threading.RLock()


def decoded_side(embedder: object) -> int:
    """Return the pixels a photo's shorter side keeps for an embedder: ``open_picture`` takes it."""
    return int(getattr(embedder, "decoded_side", KEPT_SIDE))


def open_picture(
    data: bytes,
    *,
    max_bytes: int | None = None,
    max_pixels: int | None = None,
    short_side: int | None = None,
) -> Image.Image:
    """Return the picture in ``data``: RGB, upright, its first frame, on white.

    ``max_bytes`` and ``max_pixels`` default to the settings ``max_file_bytes`` and ``max_pixels``.
    With ``short_side``, in pixels, larger pictures come back reduced, their shorter side never
    below it: a phone photo then takes a fraction of the memory and, as a JPEG, of the time.
    Raises ``PictureError``.
    """
    with _typed_errors():
        opened = _open(data, max_bytes=max_bytes, max_pixels=max_pixels)
        picture = image_modes.to_rgb(_decoded(opened, short_side=short_side))
        orientation = _orientation(opened)  # of some formats it comes after the pixels
        if short_side:
            picture = image_modes.shrink(picture, short_side=short_side)
        return image_modes.upright(picture, orientation=orientation)


def check_header(
    data: bytes, *, max_bytes: int | None = None, max_pixels: int | None = None
) -> tuple[int, int]:
    """Return the picture's width and height in pixels, from its header.

    Decodes no pixels, so a web process may call it on an upload. Raises ``PictureError`` if the
    file's size, format or header already rule the picture out.
    """
    with _typed_errors():
        picture = _open(data, max_bytes=max_bytes, max_pixels=max_pixels)
        picture.close()
        return picture.size


def _open(data: bytes, *, max_bytes: int | None, max_pixels: int | None) -> Image.Image:
    _check_length(data, limit=settings.max_file_bytes if max_bytes is None else max_bytes)
    name = _check_format(data)
    with _quiet():
        picture = Image.open(BytesIO(data), formats=[name])
    limit = settings.max_pixels if max_pixels is None else max_pixels
    width, height = picture.size
    # Pillow keeps a pointer and padding for each line: a sliver of many takes ten times its pixels.
    if width * height > limit or max(width, height) > MOST_SIDE:
        raise PictureError(Reason.TOO_MANY_PIXELS, detail=f"{width} x {height}")
    if width < 1 or height < 1:
        raise PictureError(Reason.DAMAGED)
    return picture


def _decoded(opened: Image.Image, *, short_side: int | None) -> Image.Image:
    """Return the picture with its pixels, those of a JPEG at a reduced size."""
    if short_side and opened.format in ("JPEG", "MPO"):
        opened.draft(None, (short_side, short_side))
    opened.load()
    return opened


def _check_length(data: bytes, *, limit: int) -> None:
    if not data:
        raise PictureError(Reason.EMPTY_FILE)
    if len(data) > limit:
        raise PictureError(Reason.FILE_TOO_LARGE, detail=f"{len(data)} > {limit}")


def _check_format(data: bytes) -> str:
    name = image_formats.sniff(data)
    if name is None:
        raise PictureError(Reason.NOT_AN_IMAGE)
    if name not in image_formats.allowed():
        raise PictureError(Reason.FORMAT_NOT_ALLOWED)
    if image_floods.is_flood(data, name=name):
        raise PictureError(Reason.DAMAGED)
    return name


def _orientation(picture: Image.Image) -> object:
    """Return the orientation from EXIF, or from XMP where Pillow finds it; 1 if unreadable."""
    try:
        if _has_too_much_exif(picture):
            return 1
        with _quiet():
            return picture.getexif().get(image_modes.ORIENTATION_TAG, 1)
    except DECODER_ERRORS:
        return 1


def _has_too_much_exif(picture: Image.Image) -> bool:
    """Say whether it would take Pillow long to read; a PNG has some of its text by now."""
    exif = picture.info.get("exif") or b""
    if not isinstance(exif, bytes):
        return True
    hexadecimal = picture.info.get(RAW_EXIF) or ""
    begins = 6 if exif.startswith(b"Exif\0\0") else 0
    return (
        image_floods.tags(exif, begins) > image_floods.MOST_TAGS or len(hexadecimal) > MOST_RAW_EXIF
    )


@contextmanager
def _typed_errors() -> Iterator[None]:
    try:
        yield
    except PictureError:
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        raise PictureError(Reason.TOO_MANY_PIXELS) from error
    except DECODER_ERRORS as error:
        raise PictureError(Reason.DAMAGED) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Pillow's warnings about a stranger's file out of the host's log and error filters."""
    with _quiet_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
