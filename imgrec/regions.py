"""A heat map in words: which of nine parts of a photo made most of the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy

from imgrec.boxes import Box, overlaps
from imgrec.feature_maps import Cells, centred


class Place(TextChoices):
    """Where in a photo, row by row."""

    UPPER_LEFT = "upper_left", pgettext_lazy("imgrec", "upper left")
    TOP = "top", pgettext_lazy("imgrec", "top")
    UPPER_RIGHT = "upper_right", pgettext_lazy("imgrec", "upper right")
    LEFT = "left", pgettext_lazy("imgrec", "left")
    MIDDLE = "middle", pgettext_lazy("imgrec", "middle")
    RIGHT = "right", pgettext_lazy("imgrec", "right")
    LOWER_LEFT = "lower_left", pgettext_lazy("imgrec", "lower left")
    BOTTOM = "bottom", pgettext_lazy("imgrec", "bottom")
    LOWER_RIGHT = "lower_right", pgettext_lazy("imgrec", "lower right")


@dataclass(frozen=True)
class Region:
    """A place, and the shares of the score and of what was looked at that are there."""

    place: Place
    share: float
    area: float


# A second place is named when it stands out at least this much as the first.
ALSO = 0.6
WHOLE = Box(0.0, 0.0, 1.0, 1.0)
# Below this all cells add the same, but for rounding.
LEAST = 1e-9


def strongest(cells: Cells, seen: Box) -> list[Region]:
    """Return the place that stands out most, and the next if it nearly does as much.

    By what their cells add beyond the average cell; none where all cells add the same.
    """
    inside = [overlaps(place, seen, *cells.shape) for place in WHOLE.cells(3, 3)]
    above = np.clip(centred(cells), 0.0, None)
    mass = [float((above * each).sum()) for each in inside]
    order = sorted(range(len(mass)), key=lambda number: -mass[number])[:2]
    named = [each for each in order if mass[each] > max(LEAST, ALSO * mass[order[0]])]
    every = list(Place)
    return [
        Region(
            every[each],
            share=float((cells * inside[each]).sum() / cells.sum()),
            area=float(inside[each].mean()),
        )
        for each in named
    ]
