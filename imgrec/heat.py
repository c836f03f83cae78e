"""The picture of a heat map: cells over a photo, from blue (less) to red (more than the average).

Red and blue of equal weight stay apart for people who see colours otherwise; the strongest cells
have an outline as well, so that colour is not all there is. Drawn as SVG, which scales with the
photo and needs nothing that a content security policy forbids.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imgrec.boxes import Box
from imgrec.feature_maps import Cells, centred

MORE, LESS = "#b2182b", "#2166ac"
DENSEST = 0.8
# Cells that add at least this much of what the strongest adds beyond the average have an outline.
STRONG = 0.6


@dataclass(frozen=True)
class Tile:
    """One cell; numbers as text, so that no language puts commas into them."""

    x: str
    y: str
    width: str
    height: str
    colour: str
    opacity: str
    is_strong: bool
    percent: str  # of the score


def tiles(cells: Cells, seen: Box) -> list[Tile]:
    """Return the cells over a photo of sides 1 and 1, row by row."""
    above = centred(cells).ravel()
    most = float(np.abs(above).max()) or 1.0
    score = float(cells.sum()) or 1.0
    return [
        Tile(
            x=_text(box.left),
            y=_text(box.top),
            width=_text(box.width),
            height=_text(box.height),
            colour=MORE if value > 0 else LESS,
            opacity=_text(DENSEST * abs(value) / most),
            is_strong=bool(value >= STRONG * above.max() > 1e-9),
            percent=f"{100 * share / score:.1f}",
        )
        for box, value, share in zip(seen.cells(*cells.shape), above, cells.ravel(), strict=True)
    ]


def _text(number: float) -> str:
    return f"{number:.4f}"
