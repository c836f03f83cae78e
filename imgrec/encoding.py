"""From a photo's bytes to what an encoder takes, and from there to vectors.

One way for the photos of a shop and of its shoppers, so that the same photo has the same vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray
from PIL.Image import Image

from imgrec.decoding_room import room
from imgrec.embedders import Embedder
from imgrec.embedders.protocol import Vectors
from imgrec.errors import ImgrecError, PictureError
from imgrec.images import KEPT_SIDE, check_header, open_picture
from imgrec.reasons import Reason

# A decoded picture, or what an encoder that prepares pictures apart made of it.
Inputs = Image | NDArray[Any]


def decode(embedder: Embedder, data: bytes, *, max_bytes: int | None = None) -> Inputs:
    """Return what ``embed`` takes for this encoder. For any thread; loads no model.

    Raises:
        PictureError: the file cannot be used, or the encoder could not prepare it.
    """
    width, height = check_header(data, max_bytes=max_bytes)
    with room.for_pixels(width * height):
        side = int(getattr(embedder, "decoded_side", KEPT_SIDE))
        picture = open_picture(data, max_bytes=max_bytes, short_side=side)
        return _prepared(embedder, picture)


def _prepared(embedder: Any, picture: Image) -> Inputs:
    if not is_staged(embedder):
        return picture
    try:
        inputs: Inputs = embedder.prepare(picture)
    except ImgrecError:
        raise
    except Exception as error:  # broad: an encoder is anybody's code
        detail = f"{type(error).__name__}: {error}"
        raise PictureError(Reason.EMBEDDER_FAILED, detail=detail) from error
    return inputs


def embed(embedder: Any, inputs: Sequence[Inputs]) -> Vectors:
    """Return a row per input, float32, (inputs, dimensions), in order; raises what it raises."""
    rows: Vectors = (embedder.embed_prepared if is_staged(embedder) else embedder.embed)(inputs)
    return rows


def is_staged(embedder: Embedder) -> bool:
    """Return whether the encoder prepares pictures apart from embedding them."""
    return callable(getattr(embedder, "prepare", None))
