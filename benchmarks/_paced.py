"""An encoder that takes the time of a real one, without its weights."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from PIL.Image import Image

from imgrec.testing import ColourGrid

SECONDS = 0.03


class PacedGrid(ColourGrid):
    """``ColourGrid``, busy for 30 ms of processor time a picture."""

    def embed(self, pictures: Sequence[Image], /) -> Any:
        until = time.thread_time() + SECONDS * len(pictures)
        while time.thread_time() < until:
            pass
        return super().embed(pictures)
