"""Figures of lists, held against ones worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from imgrec.evaluation import metrics

# Five items: 0, 1, 2 are dresses, 3 is a hat, 4 has no label.
CODES = np.array([0, 0, 0, 1, -1])


def places(*rows: list[int]) -> np.ndarray:
    return np.array(rows, dtype=np.intp)


def test_results_are_relevant_when_the_label_is_the_same() -> None:
    lists = places([1, 3, 4], [0, 2, -1], [2, 1, 0], [0, 1, 2])
    hits = metrics.relevant(lists, np.array([0, 1, 3, 4]), CODES)
    assert hits.tolist() == [
        [True, False, False],
        [True, True, False],
        [False, False, False],
        [False, False, False],  # without a label nothing is relevant, not even what has none
    ]


def test_average_precision_by_hand() -> None:
    hits = np.array([[1, 0, 1, 0], [0, 0, 0, 1], [1, 1, 1, 1], [0, 0, 0, 0]], dtype=bool)
    found = metrics.average_precision(hits, np.array([3, 1, 9, 2]))
    # (1/1 + 2/3) / 3, (1/4) / 1, all right although there are more than k, nothing right
    assert found.tolist() == pytest.approx([5 / 9, 0.25, 1.0, 0.0])


def test_what_could_not_be_right_does_not_count() -> None:
    nothing = np.zeros((2, 3), dtype=bool)
    possible = np.array([0, 1])
    found = metrics.average_precision(nothing, possible)
    assert math.isnan(found[0])
    assert metrics.mean(found) == 0.0
    assert metrics.mean(found[:1]) is None
    assert metrics.mean(metrics.first_hits(nothing, possible)) == 0.0


def test_precision_of_a_short_list_is_of_what_it_has() -> None:
    hits = np.array([[True, False, False], [True, False, True], [False, False, False]])
    found = metrics.precision(hits, places([4, 5, -1], [4, 5, 6], [-1, -1, -1]))
    assert found[:2].tolist() == pytest.approx([1 / 2, 2 / 3])
    assert math.isnan(found[2])


def test_recall_at_one_looks_at_the_first() -> None:
    hits = np.array([[True, False], [False, True]])
    assert metrics.first_hits(hits, np.array([2, 2])).tolist() == [1.0, 0.0]


def test_overlap_ignores_the_order() -> None:
    a = places([1, 2, 3, 4], [1, 2, -1, -1], [1, 2, 3, 4], [-1, -1, -1, -1])
    b = places([4, 3, 9, 8], [2, 1, -1, -1], [1, -1, -1, -1], [-1, -1, -1, -1])
    found = metrics.overlap(a, b)
    assert found[:3].tolist() == [0.5, 1.0, 0.25]
    assert math.isnan(found[3])


def test_hubness_by_hand() -> None:
    # 12 lists of one: item 0 is in 10 of them, item 1 in 2, ten others in none
    lists = places(*[[0]] * 10, *[[1]] * 2)
    found = metrics.hubness(lists, np.arange(12))
    assert found is not None
    assert found.nobody == pytest.approx(10 / 12)
    assert (found.hubs, found.most) == (1, 10)  # 10 > 5 * 1; 2 is not
    assert found.hubs_hold == pytest.approx(10 / 12)


def test_even_lists_have_no_hubs() -> None:
    found = metrics.hubness(places([1], [2], [0]), np.arange(3))
    assert found == metrics.Hubness(nobody=0.0, hubs=0, hubs_hold=0.0, most=1, skewness=0.0)
    assert metrics.hubness(places([-1]), np.arange(3)) is None


def test_only_what_may_be_shown_can_be_missing() -> None:
    found = metrics.hubness(places([1], [1]), np.array([1, 2]))
    assert found is not None
    assert found.nobody == 0.5


def test_skewness_by_hand() -> None:
    # mean 1, away (-1, -1, -1, 3): variance 3, third moment 6
    assert metrics.skewness(np.array([0.0, 0.0, 0.0, 4.0])) == pytest.approx(6 / 3**1.5)
