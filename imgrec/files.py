"""A photo's bytes, from whichever storage the shop keeps it in."""

from __future__ import annotations

from imgrec.conf import settings
from imgrec.errors import PictureError
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition
from imgrec.time_limits import time_is_up


def read(space: SpaceDefinition, name: str) -> bytes:
    """Read at most one byte more than allowed. Raises ``PictureError``."""
    try:
        with space.source_field.storage.open(name, "rb") as opened:
            return bytes(opened.read(settings.max_file_bytes + 1))
    except time_is_up():
        raise
    except FileNotFoundError as error:
        raise PictureError(Reason.FILE_MISSING) from error
    except Exception as error:  # broad: every storage has errors of its own
        detail = f"{type(error).__name__}: {error}"
        raise PictureError(Reason.STORAGE_ERROR, detail=detail) from error
