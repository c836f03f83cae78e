"""The map's grid and what stands out on it: plain arrays, no database."""

from __future__ import annotations

import numpy as np
import pytest

from imgrec.catalogue_map.grid import Grid, snap
from imgrec.catalogue_map.layout import Neighbourhood, beside
from imgrec.catalogue_map.oddities import alone, holes, misfits


@pytest.mark.parametrize("count", [0, 1, 2, 7, 500])
def test_every_point_has_a_cell_of_its_own(count: int) -> None:
    grid = snap(np.random.default_rng(0).normal(size=(count, 2)))
    assert len({tuple(cell) for cell in grid.cells.tolist()}) == count
    assert (grid.cells >= 0).all()
    assert (grid.cells < (grid.columns, grid.rows)).all()


def test_points_in_one_place_spread_around_it() -> None:
    grid = snap(np.zeros((60, 2)))
    assert len({tuple(cell) for cell in grid.cells.tolist()}) == 60


def test_neighbours_stay_neighbours() -> None:
    points = np.random.default_rng(1).normal(size=(600, 2))
    grid = snap(points)
    apart = [
        np.hypot(*(each[:, None] - each[None]).transpose(2, 0, 1)) for each in (points, grid.cells)
    ]
    nearest = np.argsort(apart[0], axis=1)[:, 1:6]
    assert np.take_along_axis(apart[1], nearest, axis=1).mean() < 0.25 * apart[1].mean()


def test_the_map_is_wide_as_screens_are() -> None:
    points = np.random.default_rng(0).normal(size=(400, 2)) * (1, 9)
    grid = snap(points)
    assert grid.columns > grid.rows


def test_a_product_among_another_category_is_a_misfit() -> None:
    places = np.array([[j for j in range(6) if j != i] for i in range(6)], np.int32)
    found = Neighbourhood([*"abcdef"], places, np.full((6, 5), 0.9, np.float32))
    codes = np.array([0, 0, 0, 0, 0, 1], np.uint8)
    told = misfits(found, codes, ["hats", "boots"])
    expected = {"item": "f", "category": "boots", "looks_like": "hats", "same": 0, "of": 5}
    assert told == [expected]
    assert misfits(found, np.full(6, 255, np.uint8), []) == []


def test_whoever_nothing_is_like_stands_alone() -> None:
    similarities = np.array([[0.9], [0.2], [0.5]], np.float32)
    found = Neighbourhood([1, 2, 3], np.array([[1], [0], [0]], np.int32), similarities)
    assert [each["item"] for each in alone(found)] == ["2", "3", "1"]
    assert alone(Neighbourhood([1], np.full((1, 1), -1, np.int32), similarities[:1])) == []


def test_an_empty_place_amid_products_is_a_hole_and_the_margin_is_none() -> None:
    pytest.importorskip("scipy")
    cells = [(x, y) for x in range(20) for y in range(20) if np.hypot(x - 9, y - 9) > 4]
    told = holes(list(range(len(cells))), Grid(np.array(cells), 40, 20))
    assert len(told) == 1
    assert (told[0]["column"], told[0]["row"]) == (9, 9)
    assert len(told[0]["around"]) == 4


def test_what_is_not_arranged_itself_is_put_beside_its_nearest() -> None:
    points = np.array([[0.0, 0.0], [9.0, 9.0], [np.nan, np.nan], [np.nan, np.nan]])
    places = np.array([[1, 2], [0, 2], [3, 1], [-1, -1]], np.int32)
    found = beside(points, places)
    assert found[2].tolist() == [9, 9]
    assert found[3].tolist() == [4.5, 4.5]
