"""All pairs in tiles against the full matrix in float64."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from imgrec import pairs
from imgrec.clusters import learn
from imgrec.pairs import TopK, all_pairs, blocks, nearest
from imgrec.reading import Vectors
from imgrec.topk import unit


def catalogue(items: int, *, photos: int = 1, seed: int = 0) -> Vectors:
    """Return clustered vectors; with several photos an item, its rows together."""
    random = np.random.default_rng(seed)
    keys = np.sort(random.integers(0, items, items * photos)) if photos > 1 else np.arange(items)
    centres = random.normal(size=(20, 32))
    rows = centres[random.integers(20, size=len(keys))] + random.normal(size=(len(keys), 32))
    return Vectors(keys * 3, unit(rows))


def truth(vectors: Vectors) -> dict[Any, dict[Any, float]]:
    """Return every item's similarity to every other, by the best pair of their photos."""
    wide = vectors.matrix.astype(np.float64)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    found: dict[Any, dict[Any, float]] = {key: {} for key in vectors.items.tolist()}
    for key, row in zip(vectors.items.tolist(), np.clip(wide @ wide.T, 0, 1), strict=True):
        for other, similarity in zip(vectors.items.tolist(), row.tolist(), strict=True):
            if other != key:
                found[key][other] = max(found[key].get(other, 0.0), similarity)
    return found


def check(found: TopK, everything: Vectors, k: int) -> None:
    expected = truth(everything)
    rows = list(found.rows())
    assert [owner for owner, *_rest in rows] == sorted(expected)
    for owner, items, similarities in rows:
        best = sorted(expected[owner].values(), reverse=True)[:k]
        assert len(set(items.tolist())) == len(items) == len(best)
        assert np.abs(np.array(best) - similarities).max(initial=0) < 1e-6
        mine = [expected[owner][item] for item in items.tolist()]
        assert np.abs(mine - similarities).max(initial=0) < 1e-6


@pytest.mark.parametrize("photos", [1, 3])
@pytest.mark.parametrize(("items", "tile"), [(1, 8), (5, 2), (90, 32), (300, 128), (300, 300)])
def test_all_pairs(items: int, tile: int, photos: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "TILE_ITEMS", tile)
    everything = catalogue(items, photos=photos)
    check(all_pairs(everything, 40), everything, 40)


@pytest.mark.parametrize("photos", [1, 3])
def test_some_against_all_in_chunks(photos: int) -> None:
    everything = catalogue(200, photos=photos, seed=1)
    cuts = np.flatnonzero(np.diff(everything.items)) + 1
    ends = [0, *cuts[::37].tolist(), len(everything)]
    chunks = [everything.part(a, b) for a, b in pairwise(ends)]
    queries = chunks[2]
    found = nearest(queries, blocks(queries, reversed(chunks)), 30)
    expected = truth(everything)
    assert found.owners.tolist() == sorted(set(queries.items.tolist()))
    for owner, items, similarities in found.rows():
        best = sorted(expected[owner].values(), reverse=True)[:30]
        assert owner not in items
        assert np.abs(np.array(best) - similarities).max() < 1e-6


def test_keys_need_not_be_numbers() -> None:
    plain = catalogue(30)
    keys = np.empty(30, object)
    keys[:] = [f"key {i:02}" for i in range(30)]
    named = Vectors(keys, plain.matrix)
    check(all_pairs(named, 10), named, 10)


def test_centres_settle_in_the_clusters_there_are() -> None:
    random = np.random.default_rng(3)
    middles = unit(random.normal(size=(6, 24)))
    sample = unit(np.repeat(middles, 50, axis=0) + 0.05 * random.normal(size=(300, 24)))
    centres = learn(sample, 12, random)
    assert (middles @ centres.T).max(axis=1).min() > 0.97
    assert np.allclose(np.linalg.norm(centres, axis=1), 1, atol=1e-5)
