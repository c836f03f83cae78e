"""What the benchmarks compare with is itself right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks._filters import ALL, ANOTHER_CATEGORY, FILTERS, OWN_CATEGORY
from benchmarks._report import Row, circumstances
from benchmarks._timing import WARM_UP, in_turns
from benchmarks._truth import Catalogue, Truth, brute_force
from benchmarks._vectors import clustered

N, K = 700, 10


def test_made_up_features_are_unit_rows_and_never_negative() -> None:
    rows = clustered(N)
    assert rows.shape == (N, 512)
    assert rows.dtype == np.float32
    assert rows.min() >= 0
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_a_seed_makes_the_same_shop_and_a_draw_other_photos_of_it() -> None:
    rows, others = clustered(N, seed=3), clustered(N, seed=3, draw=1)
    np.testing.assert_array_equal(rows, clustered(N, seed=3))
    nearest = (others @ rows.T).max(axis=1)
    assert np.median(nearest) > np.median((others @ clustered(N, seed=4).T).max(axis=1)) + 0.1


@pytest.mark.parametrize("each", FILTERS, ids=lambda each: each.name)
def test_brute_force_is_right_under_every_filter(each: Any) -> None:
    catalogue, rows = Catalogue(N), [0, 5, N - 1]
    truth = brute_force(catalogue, rows, {"it": each.mask}, K)["it"]
    for number, row in enumerate(rows):
        cosines = [
            float(catalogue.vectors[other] @ catalogue.vectors[row])
            for other in range(N)
            if other != row and _may(each, catalogue, row, other)
        ]
        assert truth.eligible[number] == len(cosines)
        wanted = sorted(cosines, reverse=True)[:K]
        np.testing.assert_allclose(truth.best[number, : len(wanted)], wanted, atol=1e-5)


def _may(each: Any, catalogue: Catalogue, row: int, other: int) -> bool:
    if each in (OWN_CATEGORY, ANOTHER_CATEGORY):
        own = catalogue.categories[row]
        wanted = own if each is OWN_CATEGORY else int(own == 0)
        return bool(catalogue.categories[other] == wanted)
    return each is ALL or bool(catalogue.shares[other] < each.limit)


def test_recall_counts_ties_as_right_and_takes_few_for_all() -> None:
    truth = Truth(np.array([5, 2, 0]), np.array([[0.9, 0.8], [0.7, 0.6], [-2, -2]], np.float32))
    assert truth.recall(0, [0.9, 0.8]) == 1
    assert truth.recall(0, [0.8, 0.8]) == 1
    assert truth.recall(0, [0.9, 0.5]) == 0.5
    assert truth.recall(1, [0.6]) == 0.5
    assert truth.recall(2, []) == 1


def test_rows_tell_their_circumstances() -> None:
    with circumstances(n=N, seed=1, repeats=3):
        row = Row("p50", 3.0, "ms", "by hand", 2.0)
        other = Row("built", 3.0, "s", "nothing", 0.0, repeats=1)
    assert (row.n, row.seed, row.repeats, row.ratio) == (N, 1, 3, 1.5)
    assert (other.repeats, other.ratio) == (1, None)
    assert Row("p50", 1.0, "ms", "by hand", 1.0).n is None


def test_every_way_is_called_with_everything() -> None:
    calls: dict[str, list[int]] = {"one": [], "other": []}
    ways = {name: each.append for name, each in calls.items()}
    took = in_turns(ways, range(30), 2)
    assert took.keys() == calls.keys()
    assert sorted(calls["one"]) == sorted(calls["other"])
    assert len(calls["one"]) == WARM_UP + 2 * 30
