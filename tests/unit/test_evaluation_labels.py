"""Labels of lists, own photos and copies, on arrays and pictures small enough to check by eye."""

from __future__ import annotations

import math

import numpy as np
import pytest

from imgrec.evaluation import copies, labels, photos
from imgrec.evaluation.ranked import Ranked
from imgrec.reading import Vectors
from imgrec.topk import unit
from tests.pictures import picture

# Items 10..14; lists of two for the first three and the last.
RANKED = Ranked(
    items=np.array([10, 11, 12, 13, 14]),
    own=np.array([0, 1, 2, 4]),
    places=np.array([[1, 2], [3, 0], [1, 0], [0, -1]]),
    similarities=np.array([[0.9, 0.8], [0.7, 0.6], [0.5, 0.4], [0.3, -np.inf]], np.float32),
)
NAMES = {10: "dress", 11: "dress", 12: "hat", 13: "dress"}


def test_lists_are_judged_by_label() -> None:
    found = labels.judge(RANKED, np.arange(5), "category", NAMES)
    assert found.names == ["dress", "dress", "hat", "dress", ""]
    assert found.hits.tolist() == [[True, False], [True, True], [False, False], [False, False]]
    assert found.average_precision[:2].tolist() == [0.5, 1.0]
    # the only hat, and the one without a label: nothing could be right
    assert [math.isnan(score) for score in found.average_precision] == [False, False, True, True]
    assert found.figures() == {
        "label": "category",
        "judged": 2,
        "map": 0.75,
        "precision": 0.75,
        "recall_at_1": 1.0,
    }
    assert labels.by_label(found, RANKED.own) == [("dress", 2, 0.75)]


def test_only_what_may_be_shown_could_be_right() -> None:
    codes = labels.coded(["dress", "dress", "hat", "dress", ""])
    assert codes.tolist() == [0, 0, 1, 0, -1]
    found = labels.rivals(codes, np.arange(5), np.array([0, 2, 4]))
    assert found.tolist() == [0, 1, 0, 1, 0]


def test_photos_of_the_same_product_find_each_other() -> None:
    vectors = Vectors(
        np.array([1, 1, 2, 2, 3]),
        unit(np.array([[1, 0], [0.9, 0.1], [0, 1], [1, 0.02], [0.1, 1]], np.float32)),
    )
    found = photos.own_photos(vectors, [1, 2, 3], 4)
    # the first's nearest is of another product, and so are both of the second's; product 3 has
    # no other photo to find; among four others all find their own
    assert found == photos.OwnPhotos(photos=4, recall_at_1=0.0, k=4, recall=1.0)
    assert photos.own_photos(vectors, [3], 4) is None


def test_the_nearest_photo_may_be_its_own() -> None:
    rows = unit(np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [1, 1]], np.float32))
    found = photos.own_photos(Vectors(np.array([1, 1, 2, 2, 3]), rows), [1], 1)
    assert found == photos.OwnPhotos(photos=2, recall_at_1=1.0, k=1, recall=1.0)


@pytest.mark.parametrize("kind", copies.KINDS)
def test_copies_are_what_they_are_called(kind: str) -> None:
    original = picture(0.3, size=40)
    original.paste((255, 255, 255), (0, 0, 10, 40))
    changed = copies.KINDS[kind](original)
    assert changed.mode == "RGB"
    assert changed.size == ((32, 32) if kind == "cropped" else (40, 40))
    is_white = np.asarray(changed)[:, :5].min() > 200
    assert is_white == (kind != "flipped")


def test_a_sliver_can_be_cropped() -> None:
    assert copies.cropped(picture(0.3, size=1)).size == (1, 1)
