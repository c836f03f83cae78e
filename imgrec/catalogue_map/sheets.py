"""Small pictures of a tile's products on one sheet: the viewer asks once instead of 256 times."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from PIL import Image, ImageOps

from imgrec.conf import settings
from imgrec.evaluation.copies import picture_of
from imgrec.spaces import SpaceDefinition

# Products a side of a tile, and pixels a side of a product.
SIDE = 16
PIXELS = 32
QUALITY = 65
# What cannot be read is left grey.
BLANK = (190, 190, 190)


def sheet(space: SpaceDefinition, names: dict[int, str]) -> bytes:
    """Return a WebP of SIDE * PIXELS pixels a side with the photo at each place."""
    made = Image.new("RGB", (SIDE * PIXELS, SIDE * PIXELS), BLANK)

    def small(name: str) -> Image.Image | None:
        picture = picture_of(space, name, short_side=PIXELS) if name else None
        return picture and ImageOps.fit(picture, (PIXELS, PIXELS))

    with ThreadPoolExecutor(max(1, settings.decode_threads)) as readers:
        found = readers.map(small, names.values())
    for place, picture in zip(names, found, strict=True):
        if picture is not None:
            made.paste(picture, (place % SIDE * PIXELS, place // SIDE * PIXELS))
    buffer = BytesIO()
    made.save(buffer, "WEBP", quality=QUALITY)
    return buffer.getvalue()
