"""Bounds what threads decode at the same time, whatever the photos are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from imgrec.conf import settings


class Room:
    """Lets pictures in while their pixels together are no more than the largest one may have.

    So a process takes the memory of one such picture, as if it had a single thread, and photos
    of an ordinary size are decoded side by side.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pixels = 0

    @contextmanager
    def for_pixels(self, pixels: int) -> Iterator[None]:
        """Wait until there is room for a picture, and keep it in there."""
        with self._changed:
            self._changed.wait_for(lambda: self._fits(pixels))
            self._pixels += pixels
        try:
            yield
        finally:
            with self._changed:
                self._pixels -= pixels
                self._changed.notify_all()

    def _fits(self, pixels: int) -> bool:
        return not self._pixels or self._pixels + pixels <= settings.max_pixels


room = Room()
