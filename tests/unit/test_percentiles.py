"""Percentiles of a similarity: the same arithmetic forth and back, by hand where it is short."""

from __future__ import annotations

import numpy as np
import pytest

from imgrec.percentiles import (
    POINTS,
    believed,
    between_items,
    mixed,
    percentile_of,
    scale_of,
    similarity_at,
)

EVEN = np.linspace(0, 1, POINTS)


def test_of_evenly_spread_pairs_the_percentile_is_the_similarity() -> None:
    for similarity in (0.0, 0.07, 0.5, 0.999, 1.0):
        assert percentile_of(EVEN, similarity) == pytest.approx(100 * similarity)
        assert similarity_at(EVEN, 100 * similarity) == pytest.approx(similarity)


def test_what_reaches_a_threshold_has_at_least_its_percentile() -> None:
    random = np.random.default_rng(3)
    for scale in (scale_of(random.random(7)), scale_of(np.array([0.2] * 50 + [0.4] * 50))):
        for percent in (0, 12.5, 49, 50, 51, 95, 100):
            assert percentile_of(scale, similarity_at(scale, percent)) >= percent


def test_beyond_all_pairs() -> None:
    scale = scale_of(np.array([0.3, 0.4]))
    assert percentile_of(scale, 0.29) == 0
    assert percentile_of(scale, 0.41) == 100


def test_opposites_are_as_unlike_as_strangers() -> None:
    assert scale_of(np.array([-0.8, -0.1, 0.5]))[:2].tolist() == [0, 0]


def test_pairs_of_items_count_their_best_photos_and_never_themselves() -> None:
    photos = np.eye(3, dtype=np.float32)[[0, 1, 1, 2]]
    found = between_items(photos, np.array([0, 2, 3]))  # the first has two photos
    assert found.tolist() == [1.0, 0.0, 0.0]


def test_a_mixture_counts_by_weight() -> None:
    low, high = np.full(POINTS, 0.2), np.full(POINTS, 0.8)
    found = mixed([low, high], [3, 1])
    assert percentile_of(found, 0.5) == pytest.approx(75, abs=1.5)
    assert mixed([EVEN, EVEN], [1, 5]) == pytest.approx(EVEN, abs=0.02)


def test_a_small_category_is_drawn_to_the_whole() -> None:
    own, whole = np.full(POINTS, 0.9), np.full(POINTS, 0.5)
    values = [float(believed(own, whole, products)[50]) for products in (2, 10, 2_000)]
    assert 0.5 < values[0] < values[1] < values[2]
    assert values[2] == pytest.approx(0.9)
