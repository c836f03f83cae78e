"""Top-k over blocks: the same as sorting the whole matrix, whatever the blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imgrec.ranking import ROOM, Ranking
from imgrec.topk import Matrix


def truth(matrix: Matrix, k: int) -> Matrix:
    """Return each row's k largest in 0..1, -1 where there are fewer."""
    ordered = -np.sort(-np.where(np.isneginf(matrix), -1, np.clip(matrix, 0, 1)), axis=1)[:, :k]
    return np.pad(ordered, ((0, 0), (0, k - ordered.shape[1])), constant_values=-1)


def check(ranking: Ranking, matrix: Matrix) -> None:
    columns, similarities = ranking.best()
    assert np.array_equal(similarities, truth(matrix, ranking.k))
    there = columns >= 0
    assert np.array_equal(there, similarities >= 0)
    rows = np.nonzero(there)[0]
    assert np.array_equal(np.clip(matrix[rows, columns[there]], 0, 1), similarities[there])
    for row in columns:
        named = row[row >= 0]
        assert len(set(named)) == len(named)


@example(seed=0, rows=4, widths=[1, 265], k=15, levels=50, sideways=False)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 40),
    widths=st.lists(st.integers(1, 900), min_size=1, max_size=5),
    k=st.integers(1, 100),
    levels=st.sampled_from([2, 50, 10**6]),
    sideways=st.booleans(),
)
def test_blocks_of_any_width_with_many_equals(
    seed: int, rows: int, widths: list[int], k: int, levels: int, sideways: bool
) -> None:
    random = np.random.default_rng(seed)
    # cosines: some below 0, some rounded to above 1, and some that do not take part
    matrix = random.integers(-levels // 5, levels + 2, (rows, sum(widths))).astype(np.float32)
    matrix = np.where(matrix < -levels // 10, -np.inf, matrix / levels).astype(np.float32)
    ranking, begin = Ranking(rows, k), 0
    for width in widths:
        block = matrix[:, begin : begin + width]
        block = np.ascontiguousarray(block.T if sideways else block)
        ranking.offer(block, begin, sideways=sideways)
        begin += width
    check(ranking, matrix)


@pytest.mark.parametrize("sideways", [False, True])
def test_more_equals_than_there_is_room_for(sideways: bool) -> None:
    matrix = np.full((3, 20 * ROOM), 0.5, np.float32)
    ranking = Ranking(3, 96)
    ranking.offer(np.ascontiguousarray(matrix.T) if sideways else matrix, 0, sideways=sideways)
    check(ranking, matrix)


@pytest.mark.parametrize("value", [-0.0, -0.25, 1.0000001])
def test_what_is_clipped_takes_part(value: float) -> None:
    matrix = np.full((2, 3 * ROOM), value, np.float32)
    matrix[:, 0] = 0.5
    ranking = Ranking(2, 96)
    for begin in range(0, 3 * ROOM, 60):
        ranking.offer(matrix[:, begin : begin + 60], begin)
    check(ranking, matrix)


def test_only_the_rows_meant_are_touched() -> None:
    matrix = np.random.default_rng(0).random((8, 700)).astype(np.float32)
    ranking = Ranking(8, 10)
    ranking.offer(matrix[2:5], 0, slice(2, 5))
    columns, _similarities = ranking.best()
    assert (columns[[0, 1, 5, 6, 7]] == -1).all()
    ranking.offer(matrix[:2], 0, slice(0, 2))
    ranking.offer(matrix[5:], 0, slice(5, 8))
    check(ranking, matrix)


def test_of_equals_the_first_column_wins() -> None:
    ranking = Ranking(1, 2)
    ranking.offer(np.array([[0.5, 0.7, 0.5, 0.5]], np.float32), 0)
    assert ranking.best()[0].tolist() == [[1, 0]]
