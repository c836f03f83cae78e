"""Blending, choosing and diversifying, held against the simplest ways to do them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgrec.arranging import Candidates, Rules, blend, choose, diversify

SIZES = st.integers(0, 40)
SEEDS = st.integers(0, 10**6)


def unit(rows: Any) -> Any:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def made(count: int, seed: int, *, groups: bool = True) -> Candidates:
    """Make candidates in few dimensions, so that many look alike."""
    random = np.random.default_rng(seed)
    vectors = unit(random.normal(size=(count, 3)))
    similarities = vectors @ unit(random.normal(size=(1, 3)))[0] if count else np.empty(0)
    order = np.argsort(-similarities, kind="stable")
    names = [None, "a", "b", "c", "d"]
    told = [names[i] for i in random.integers(len(names), size=count)]
    return Candidates(
        [f"k{i}" for i in range(count)],
        similarities[order].astype(np.float64),
        told if groups else None,
        vectors[order],
    )


def naive(found: Candidates, rules: Rules, most: int) -> list[int]:
    """Choose by comparing each with all before it."""
    kept: list[int] = []
    vectors = found.vectors
    assert vectors is not None
    for i in range(len(found.keys)):
        if max(found.similarities[i], 0) < rules.least or rules.is_shown(found.keys[i]):
            continue
        if rules.is_past(found.similarities[i]):
            continue
        before = [*kept, *(j for j in range(len(found.keys)) if rules.is_shown(found.keys[j]))]
        if found.groups and found.groups[i] is not None:
            if rules.is_taken(found.groups[i]):
                continue
            if any(found.groups[j] == found.groups[i] for j in kept):
                continue
        if rules.fold is not None:
            if rules.seeds is None and found.similarities[i] >= rules.fold:
                continue
            others = [vectors[j] for j in before]
            others += [] if rules.seeds is None else list(rules.seeds)
            if any(float(vectors[i] @ other) >= rules.fold for other in others):
                continue
        kept.append(i)
    return kept[:most]


@given(
    SIZES,
    SEEDS,
    st.integers(0, 12),
    st.sampled_from([0.0, 0.3, 0.9]),
    st.sampled_from([None, 0.5, 0.9, 0.97]),
    st.booleans(),
    st.booleans(),
    st.sets(st.integers(0, 40), max_size=5),
)
def test_chooses_as_comparing_all_with_all_does(
    count: int,
    seed: int,
    most: int,
    least: float,
    fold: float | None,
    groups: bool,
    by_seeds: bool,
    shown: set[int],
) -> None:
    candidates = made(count, seed, groups=groups)
    seeds = unit(np.random.default_rng(seed + 1).normal(size=(2, 3))) if by_seeds else None
    keys = {f"k{i}" for i in shown}
    rules = Rules(
        least,
        fold,
        seeds,
        is_past=lambda similarity: bool(shown) and similarity > 0.8,
        is_shown=keys.__contains__,
        is_taken=lambda group: bool(shown) and group == "d",
    )
    assert choose(candidates, rules, most) == naive(candidates, rules, most)


@given(SIZES, SEEDS, st.integers(1, 10), st.sampled_from([0.0, 0.2, 0.5, 1.0]))
def test_diversifies_as_the_formula_says(
    count: int, seed: int, most: int, diversity: float
) -> None:
    found = made(count, seed)
    vectors = found.vectors
    assert vectors is not None
    expected: list[int] = []
    while len(expected) < min(most, count):
        scores = {
            i: (1 - diversity) * found.similarities[i]
            - diversity * max((float(vectors[i] @ vectors[j]) for j in expected), default=0.0)
            for i in range(count)
            if i not in expected
        }
        expected.append(max(scores, key=lambda i: (scores[i], -i)))
    chosen = diversify(found.similarities, vectors, most, diversity)
    assert len(set(chosen)) == len(chosen) == len(expected)
    if diversity == 0:
        assert chosen == list(range(min(most, count)))
    for mine, theirs in zip(chosen, expected, strict=True):
        if mine != theirs:  # a tie, but for rounding
            assert np.allclose(vectors[mine], vectors[theirs], atol=1e-3) or np.isclose(
                found.similarities[mine], found.similarities[theirs], atol=1e-6
            )
            break


def test_a_blend_lies_between_and_away() -> None:
    red, green = np.array([2.0, 0, 0], np.float32), np.array([0, 3.0, 0], np.float32)
    blue = np.array([0, 0, 1.0], np.float32)
    assert blend([(red, 1.0)], []) == pytest.approx([1, 0, 0])
    assert blend([(red, 1.0), (green, 1.0)], []) == pytest.approx([0.5**0.5, 0.5**0.5, 0])
    assert blend([(red, 3.0), (green, 4.0)], []) == pytest.approx([0.6, 0.8, 0])
    away = blend([(red, 1.0)], [(blue, 0.5)])
    assert away == pytest.approx(np.array([1, 0, -0.5]) / 1.25**0.5)
    assert np.linalg.norm(away) == pytest.approx(1)
    huge = blend([(red, 1e300), (green, 1e300)], [])
    assert huge == pytest.approx([0.5**0.5, 0.5**0.5, 0])


def test_what_cancels_out_points_nowhere() -> None:
    red = np.array([1.0, 0, 0], np.float32)
    assert blend([(red, 2.0)], [(red, 2.0)]) is None
    assert blend([], []) is None


def test_the_articles_example_keeps_its_best() -> None:
    rows = unit(np.array([[10, 1, 0], [9, 1, 1], [2, 1, 5]]))
    found = Candidates(["b", "c"], (rows[1:] @ rows[0]).astype(np.float64), None, rows[1:])
    assert found.similarities == pytest.approx([0.99, 0.38], abs=0.01)
    assert choose(found, Rules(), 8) == [0, 1]
    assert choose(found, Rules(fold=0.97), 8) == [1], "b is the seed once more"
    assert choose(found, Rules(least=0.5), 8) == [0]
