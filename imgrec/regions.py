"""A heat map in words: which of nine parts of a photo made most of the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from imgrec.boxes import Box
from imgrec.feature_maps import Cells, centred


class Place(TextChoices):
    """Where in a photo, row by row."""

    UPPER_LEFT = "upper_left", _("upper left")
    TOP = "top", _("top")
    UPPER_RIGHT = "upper_right", _("upper right")
    LEFT = "left", _("left")
    MIDDLE = "middle", _("middle")
    RIGHT = "right", _("right")
    LOWER_LEFT = "lower_left", _("lower left")
    BOTTOM = "bottom", _("bottom")
    LOWER_RIGHT = "lower_right", _("lower right")


@dataclass(frozen=True)
class Region:
    """A place, and the shares of the score and of what was looked at that are there."""

    place: Place
    share: float
    area: float


# A second place is named when it stands out at least this much as the first.
ALSO = 0.6


def strongest(cells: Cells, seen: Box) -> list[Region]:
    """Return the place that stands out most, and the next if it nearly does as much.

    By what their cells add beyond the average cell; none where all cells add the same.
    """
    above = np.clip(centred(cells), 0.0, None).ravel()
    places = _places(cells, seen)
    mass = np.array([above[places == number].sum() for number in range(len(Place))])
    order = [int(each) for each in np.argsort(-mass, kind="stable")[:2]]
    named = [each for each in order if mass[each] > max(1e-9, ALSO * mass[order[0]] - 1e-12)]
    whole, shares = cells.sum(), cells.ravel()
    every = list(Place)
    return [
        Region(every[each], float(shares[places == each].sum() / whole), (places == each).mean())
        for each in named
    ]


def _places(cells: Cells, seen: Box) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return which of the nine places each cell's centre is in."""
    boxes = seen.cells(*cells.shape)
    across = np.array([(each.left + each.right) / 2 for each in boxes])
    down = np.array([(each.top + each.bottom) / 2 for each in boxes])
    thirds = [np.clip(np.floor(3 * each).astype(np.intp), 0, 2) for each in (across, down)]
    found: np.ndarray[tuple[int], np.dtype[np.intp]] = 3 * thirds[1] + thirds[0]
    return found
