"""For the tests of shops that use imgrec: an embedder that needs neither torch nor weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from PIL.Image import Image, Resampling

from imgrec.embedders.normalising import normalise
from imgrec.embedders.protocol import Vectors

# Keeps the vector of a mid-grey picture, all zero otherwise, pointing somewhere.
CONSTANT = 0.25


@dataclass(frozen=True)
class ColourGrid:
    """The mean colours of ``cells`` x ``cells`` tiles, from -0.5 to 0.5, and a constant.

    Deterministic and quick; says how alike colours and layout are, nothing about what is shown.
    """

    cells: int = field(default=4)

    name: ClassVar[str] = "colour_grid"

    @property
    def version(self) -> str:
        """Name, number of cells a side, version of the arithmetic."""
        return f"{self.name}-{self.cells}-p1"

    @property
    def dimensions(self) -> int:
        """Three colours a cell, and the constant."""
        return 3 * self.cells**2 + 1

    def available(self) -> str | None:
        """Return None: there are no weights to miss."""
        return None

    def embed(self, pictures: Sequence[Image], /) -> Vectors:
        """Return unit rows, float32, (pictures, dimensions)."""
        rows = np.full((len(pictures), self.dimensions), CONSTANT)
        for row, picture in zip(rows, pictures, strict=True):
            row[:-1] = self._colours(picture)
        return normalise(rows)

    def _colours(self, picture: Image) -> Vectors:
        tiles = picture.convert("RGB").resize((self.cells, self.cells), Resampling.BOX)
        colours: Vectors = np.asarray(tiles, dtype=np.float32).ravel() / np.float32(255)
        return colours - np.float32(0.5)
