"""From a photo's bytes to what an encoder takes, and from there to vectors.

One way for the photos of a shop and of its shoppers, so that the same photo has the same vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL.Image import Image

from imgrec.decoding_room import room
from imgrec.embedders import Embedder
from imgrec.embedders.protocol import Prepared, Staged, Vectors
from imgrec.errors import ImgrecError, PictureError
from imgrec.image_formats import buffers
from imgrec.images import check_header, decoded_side, open_picture
from imgrec.reasons import Reason

# A decoded picture, or what an encoder that prepares pictures apart made of it.
Inputs = Image | Prepared


def decode(embedder: Embedder, data: bytes, *, max_bytes: int | None = None) -> Inputs:
    """Return what ``embed`` takes for this encoder. For any thread; loads no model.

    Raises:
        PictureError: the file cannot be used, or the encoder could not prepare it.
    """
    return decode_sized(embedder, data, max_bytes=max_bytes)[0]


def decode_sized(
    embedder: Embedder, data: bytes, *, max_bytes: int | None = None
) -> tuple[Inputs, tuple[int, int]]:
    """Return what :func:`decode` does, and width and height of the picture, upright."""
    width, height = check_header(data, max_bytes=max_bytes)
    with room.for_pixels(width * height * buffers(data)):
        picture = open_picture(data, max_bytes=max_bytes, short_side=decoded_side(embedder))
        return _prepared(embedder, picture), picture.size


def _prepared(embedder: Embedder, picture: Image) -> Inputs:
    if not isinstance(embedder, Staged):
        return picture
    try:
        return embedder.prepare(picture)
    except ImgrecError:
        raise
    except Exception as error:  # broad: an encoder is anybody's code
        detail = f"{type(error).__name__}: {error}"
        raise PictureError(Reason.EMBEDDER_FAILED, detail=detail) from error


def embed(embedder: Embedder, inputs: Sequence[Inputs]) -> Vectors:
    """Return a row per input, float32, (inputs, dimensions), in order; raises what it raises."""
    embed_all: Any = embedder.embed_prepared if isinstance(embedder, Staged) else embedder.embed
    rows: Vectors = embed_all(inputs)
    return rows
