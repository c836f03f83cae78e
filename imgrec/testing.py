"""For the tests of shops that use imgrec: an embedder that needs neither torch nor weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from PIL.Image import Image, Resampling

from imgrec.embedders.normalising import normalise
from imgrec.embedders.protocol import Maps, Part, Vectors

# Keeps the vector of a mid-grey picture, all zero otherwise, pointing somewhere.
CONSTANT = 0.25


@dataclass(frozen=True)
class ColourGrid:
    """The mean colours of ``cells`` x ``cells`` tiles, from -0.5 to 0.5, and a constant.

    Deterministic and quick; says how alike colours and layout are, nothing about what is shown.
    ``dimensions``: as many as the shop's own encoder has, whose tables the migrations make; the
    rest is zeros. Default: as many as it takes.
    """

    cells: int = 4
    dimensions: int = 0

    name: ClassVar[str] = "colour_grid"

    def __post_init__(self) -> None:
        if not self.dimensions:
            object.__setattr__(self, "dimensions", self._used)
        if self.dimensions < self._used:
            raise ValueError(f"{self.cells} x {self.cells} cells take {self._used} dimensions.")

    @property
    def version(self) -> str:
        """Name, number of cells a side, version of the arithmetic."""
        return f"{self.name}-{self.cells}-p1"

    def available(self) -> str | None:
        """Return None: there are no weights to miss."""
        return None

    def embed(self, pictures: Sequence[Image], /) -> Vectors:
        """Return unit rows, float32, (pictures, dimensions)."""
        rows = np.zeros((len(pictures), self.dimensions))
        for row, picture in zip(rows, pictures, strict=True):
            row[: self._used] = [*self._colours(picture), CONSTANT]
        return normalise(rows)

    def feature_map(self, inputs: Sequence[Image], /) -> Maps:
        """Return (pictures, cells, cells, dimensions): each cell's own colours, the rest zero.

        Times the number of cells, so that their mean is the row before it becomes a unit row.
        """
        count = self.cells**2
        maps = np.zeros((len(inputs), count, self.dimensions), dtype=np.float32)
        for cells, picture in zip(maps, inputs, strict=True):
            for number, colour in enumerate(self._colours(picture).reshape(count, 3)):
                cells[number, 3 * number : 3 * number + 3] = colour * count
                cells[number, self._used - 1] = CONSTANT
        return maps.reshape(len(inputs), self.cells, self.cells, self.dimensions)

    def seen(self, width: int, height: int, /) -> Part:
        """Return the whole picture."""
        return 0.0, 0.0, 1.0, 1.0

    @property
    def _used(self) -> int:
        return 3 * self.cells**2 + 1  # three colours a cell, and the constant

    def _colours(self, picture: Image) -> Vectors:
        tiles = picture.convert("RGB").resize((self.cells, self.cells), Resampling.BOX)
        colours: Vectors = np.asarray(tiles, dtype=np.float32).ravel() / np.float32(255)
        return colours - np.float32(0.5)
