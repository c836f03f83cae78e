"""A part of a photo: a box in shares of its width and height, and the cells under it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from imgrec.errors import NothingSeen


@dataclass(frozen=True)
class Box:
    """Its edges, each from 0 (left, top) to 1 (right, bottom) of the photo as people see it."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, x: float, y: float, width: float, height: float) -> Box:
        """Return the box at that place, of that size.

        Raises:
            ValueError: not a box inside the photo; what reaches over its edges is cut off.
        """
        numbers = (x, y, width, height)
        edges = (max(x, 0.0), max(y, 0.0), min(x + width, 1.0), min(y + height, 1.0))
        if not all(map(math.isfinite, numbers)) or edges[0] >= edges[2] or edges[1] >= edges[3]:
            raise ValueError(
                _("A part is four numbers from 0 to 1: left, top, width, height, as in %(example)s")
                % {"example": "0.1,0.2,0.5,0.5"}
            )
        return cls(*edges)

    @classmethod
    def parse(cls, text: str) -> Box:
        """Read ``"x,y,width,height"``. Raises ``ValueError``."""
        try:
            x, y, width, height = map(float, text.split(","))
        except ValueError:
            x = y = width = height = math.nan  # say what would be one
        return cls.of(x, y, width, height)

    def as_tuple(self) -> tuple[float, float, float, float]:
        """Return its edges."""
        return self.left, self.top, self.right, self.bottom

    @property
    def width(self) -> float:
        """Its width."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Its height."""
        return self.bottom - self.top

    def cells(self, rows: int, columns: int) -> list[Box]:
        """Return the boxes of a grid over this one, row by row."""
        down, across = self.height / rows, self.width / columns
        return [
            Box(left, top, left + across, top + down)
            for top in (self.top + row * down for row in range(rows))
            for left in (self.left + column * across for column in range(columns))
        ]


def weights(part: Box, seen: Box, rows: int, columns: int) -> NDArray[np.float64]:
    """Return how much of each cell of a grid over ``seen`` lies in ``part``: (rows, columns).

    Raises:
        NothingSeen: none of any, for the encoder looks at the middle of long photos only.
    """
    found = overlaps(part, seen, rows, columns)
    if not found.any():
        raise NothingSeen
    return found


def overlaps(part: Box, seen: Box, rows: int, columns: int) -> NDArray[np.float64]:
    """Return what :func:`weights` does, zeros where the encoder does not look."""
    down = _shared(part.top, part.bottom, seen.top, seen.bottom, rows)
    across = _shared(part.left, part.right, seen.left, seen.right, columns)
    found: NDArray[np.float64] = np.outer(down, across)
    return found


def _shared(
    begin: float, end: float, seen_from: float, seen_to: float, count: int
) -> NDArray[np.float64]:
    """Return how much of each of ``count`` stretches lies between ``begin`` and ``end``."""
    edges = np.linspace(seen_from, seen_to, count + 1)
    inside = np.minimum(edges[1:], end) - np.maximum(edges[:-1], begin)
    found: NDArray[np.float64] = np.clip(inside / np.diff(edges), 0.0, 1.0)
    return found
