"""Lists for evaluation: exact, of the best pair, among what may be shown."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from imgrec.evaluation import ranked
from imgrec.reading import Vectors
from imgrec.topk import unit


def vectors(items: list[int], *, seed: int = 0) -> Vectors:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(len(items), 8)).astype(np.float32)
    return Vectors(np.array(items), unit(rows))


def test_lists_are_those_of_a_plain_loop() -> None:
    given = vectors(list(range(100, 140)))
    found = ranked.rank(given, range(100, 140, 3), range(100, 130), 5)
    for row, place in enumerate(found.own):
        cosines = given.matrix @ given.matrix[place]
        others = [i for i in np.argsort(-cosines) if i != place and i < 30]
        assert found.places[row].tolist() == others[:5]
        assert found.similarities[row].tolist() == pytest.approx(cosines[others[:5]].tolist())
    assert found.keys(0) == [100 + place for place in found.places[0]]


def test_of_many_photos_the_best_pair_counts() -> None:
    owners = [0, 0, 1, 2, 2, 2, 3, 3]
    given = vectors(owners)
    found = ranked.rank(given, range(4), range(4), 3)
    pairs = given.matrix @ given.matrix.T
    for row in range(4):
        best: list[tuple[float, int]] = []
        for other in set(range(4)) - {row}:
            mine, theirs = np.array(owners) == row, np.array(owners) == other
            best.append((-float(pairs[np.ix_(mine, theirs)].max()), other))
        assert found.places[row].tolist() == [other for _, other in sorted(best)]


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    given = vectors([*range(30), *range(30, 40), *range(30, 40)])
    given = Vectors(np.sort(given.items), given.matrix)
    whole = ranked.rank(given, range(40), range(40), 6)
    seen: list[int] = []
    monkeypatch.setattr(ranked, "CELLS", 350)
    parts = ranked.rank(given, range(40), range(40), 6, seen.append)
    assert np.array_equal(whole.places, parts.places)
    assert seen == list(range(5, 41, 5))


def test_short_lists_end_with_nothing() -> None:
    found = ranked.rank(vectors([1, 2, 3]), [1, 3], [1], 4)
    assert found.places.tolist() == [[-1] * 4, [0, -1, -1, -1]]
    assert found.keys(1) == [1]


def test_of_equals_the_first_wins() -> None:
    table: NDArray[np.float32] = np.array([[0.5, 0.9, 0.5, 0.9]], dtype=np.float32)
    places, _values = ranked.largest(table, 4)
    assert places.tolist() == [[1, 3, 0, 2]]
