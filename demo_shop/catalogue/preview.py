"""The visitor's own photo, shown back to them without being stored anywhere."""

from __future__ import annotations

import base64
import io

from django.core.files.uploadedfile import UploadedFile
from PIL import Image, ImageOps

EDGE = 360
# Decoding is this process's work, so it stays small: beyond this the page has no preview.
MOST_PIXELS = 24_000_000
FORMATS = ["JPEG", "PNG", "WEBP", "GIF"]


def preview_uri(photo: UploadedFile) -> str:
    """A ``data:`` address of the photo made small, a few kilobytes; "" when there is none."""
    try:
        photo.seek(0)
        with Image.open(photo, formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return ""
            return _as_uri(picture)
    # A preview is never worth a failed page, and broken files raise from all over Pillow.
    except Exception:  # noqa: BLE001
        return ""


def _as_uri(picture: Image.Image) -> str:
    picture.draft("RGB", (EDGE * 2, EDGE * 2))
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail((EDGE, EDGE))
    paper = Image.new("RGB", upright.size, "white")
    rgba = upright.convert("RGBA")
    paper.paste(rgba, mask=rgba.getchannel("A"))
    buffer = io.BytesIO()
    paper.save(buffer, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
