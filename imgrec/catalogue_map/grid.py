"""Points on a grid, one a cell: pictures stand beside each other and none hides another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgrec.catalogue_map.layout import Points

Cells = npt.NDArray[np.int64]

# Of the cells so many are taken: the empty ones show where groups end, and what is missing.
TAKEN = 0.55
# How far crowds are spread: 0 leaves each point where it is, 1 goes by its rank alone.
EVENED = 0.5
# How much wider than high the grid may be.
WIDEST = 1.8


@dataclass(frozen=True)
class Grid:
    """``cells``: column and row of each point (n, 2), no two the same."""

    cells: Cells
    columns: int
    rows: int


def snap(points: Points) -> Grid:
    """Give each point the free cell nearest to where it is."""
    if not len(points):
        return Grid(np.zeros((0, 2), np.int64), 1, 1)
    low, spread = points.min(axis=0), np.ptp(points, axis=0)
    if spread[0] < spread[1]:  # screens are wide
        points, low, spread = points[:, ::-1], low[::-1], spread[::-1]
    wide = float(np.clip(spread[0] / max(spread[1], 1e-9), 1, WIDEST))
    area = len(points) / TAKEN
    rows = max(1, int(np.ceil(np.sqrt(area / wide))))
    columns = max(1, int(np.ceil(area / rows)))
    size = np.array([columns, rows])
    even = (1 - EVENED) * (points - low) / np.maximum(spread, 1e-9) + EVENED * _ranks(points)
    exact = even * (size - 1)
    return Grid(_placed(exact, columns, rows), columns, rows)


def _ranks(points: Points) -> Points:
    """Return each coordinate's place among all, 0..1: in a dense crowd they would push far."""
    order = np.argsort(np.argsort(points, axis=0, kind="stable"), axis=0, kind="stable")
    found: Points = order / max(1, len(points) - 1)
    return found


def _placed(exact: Points, columns: int, rows: int) -> Cells:
    """Fill the grid in rounds: all that wait look at the same cell beside theirs, ever further."""
    wanted = np.rint(exact).astype(np.int64)
    away = np.abs(exact - wanted).sum(axis=1)
    waiting = np.argsort(away, kind="stable")
    taken = np.zeros(columns * rows, bool)
    cells = np.zeros_like(wanted)
    for offset in _outwards(max(columns, rows)):
        target = wanted[waiting] + offset
        inside = (target >= 0).all(axis=1) & (target < (columns, rows)).all(axis=1)
        flat = np.where(inside, target[:, 1] * columns + target[:, 0], 0)
        free = np.flatnonzero(inside & ~taken[flat])
        _, first = np.unique(flat[free], return_index=True)
        won = free[first]
        taken[flat[won]] = True
        cells[waiting[won]] = target[won]
        waiting = np.delete(waiting, won)
        if not len(waiting):
            break
    return cells


def _outwards(most: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield steps from a cell to those around it, the nearest first, up to ``most`` away."""
    inner, width = -1.0, 8
    while inner < most * 1.5:
        side = np.arange(-width, width + 1)
        steps = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
        far = np.hypot(steps[:, 0], steps[:, 1])
        new = (far > inner) & (far <= width)
        yield from steps[new][np.argsort(far[new], kind="stable")]
        inner, width = float(width), width * 2
