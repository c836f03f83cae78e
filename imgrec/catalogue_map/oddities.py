"""What stands out on a map: products in the wrong crowd, products alone, and empty places.

Told as a list too, for those who cannot see the picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imgrec.catalogue_map.grid import Grid
from imgrec.catalogue_map.layout import Neighbourhood

NEAR = 10
MOST_TOLD = 60
MOST_HOLES = 12
# Cells from the middle of an empty place to its edge, at least.
LEAST_HOLE = 1.5
NONE = 255


def misfits(
    found: Neighbourhood, codes: npt.NDArray[Any], names: list[str]
) -> list[dict[str, Any]]:
    """Return products most of whose nearest are of another category, the clearest first.

    ``codes``: a number for the category of each product (n), 255 for none.
    """
    near = found.places[:, :NEAR]
    theirs = np.where(near >= 0, codes[near], NONE)
    judged = theirs != NONE
    same = (theirs == codes[:, None]) & judged
    share = same.sum(axis=1) / np.maximum(judged.sum(axis=1), 1)
    clear = (codes != NONE) & (judged.sum(axis=1) > near.shape[1] // 2) & (share < 0.5)
    nearness = found.similarities[:, :NEAR].mean(axis=1)
    order = np.lexsort((-nearness, share))
    told = []
    for row in order[clear[order]][:MOST_TOLD]:
        others = theirs[row][judged[row] & ~same[row]]
        told.append(
            {
                "item": str(found.keys[row]),
                "category": names[codes[row]],
                "looks_like": names[int(np.bincount(others).argmax())],
                "same": int(same[row].sum()),
                "of": int(judged[row].sum()),
            }
        )
    return told


def alone(found: Neighbourhood) -> list[dict[str, Any]]:
    """Return products that nothing is like: by the similarity of their nearest, least first."""
    if len(found.keys) < 2:
        return []
    nearest = np.where(found.places[:, 0] >= 0, found.similarities[:, 0], 0)
    order = np.argsort(nearest, kind="stable")[:MOST_TOLD]
    return [{"item": str(found.keys[i]), "similarity": round(float(nearest[i]), 3)} for i in order]


def holes(keys: list[Any], grid: Grid) -> list[dict[str, Any]]:
    """Return empty places with products all around, the widest first, and who is around."""
    from scipy.ndimage import distance_transform_edt

    if not len(keys):
        return []
    taken = np.zeros((grid.rows, grid.columns), bool)
    taken[grid.cells[:, 1], grid.cells[:, 0]] = True
    far = distance_transform_edt(~taken)
    down, across = np.indices(far.shape)
    told: list[dict[str, Any]] = []
    for _ in range(20 * MOST_HOLES):
        row, column = np.unravel_index(np.argmax(far), far.shape)
        radius = float(far[row, column])
        if radius < LEAST_HOLE or len(told) == MOST_HOLES:
            break
        around = _around(grid, np.array([column, row]), radius)
        if around is not None:
            place = {"column": int(column), "row": int(row), "radius": round(radius, 1)}
            told.append(place | {"around": [str(keys[i]) for i in around]})
        far[np.hypot(down - row, across - column) < 1.5 * radius] = 0
    return told


def _around(grid: Grid, middle: npt.NDArray[Any], radius: float) -> list[int] | None:
    """Return the nearest product in each direction; None where it is open."""
    steps = grid.cells - middle
    away = np.hypot(steps[:, 0], steps[:, 1])
    near = np.flatnonzero(away < 2.5 * radius)
    sides = ((np.arctan2(steps[near, 1], steps[near, 0]) + np.pi) / (np.pi / 4)).astype(int) % 8
    order = np.argsort(away[near], kind="stable")
    first = {int(sides[i]): int(near[i]) for i in order[::-1]}
    return [first[side] for side in sorted(first)][::2] if len(first) >= 7 else None
