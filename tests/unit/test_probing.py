"""Which way of computing a network is taken: a faster one, if it means the same."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from imgrec.embedders import probing
from imgrec.embedders.probing import fastest, pictures

EXAMPLE = pictures(8)


class Way:
    """A forward pass that takes its time and turns what it sees by a little."""

    at_once = 4

    def __init__(self, seconds: float, *, error: float = 0.0) -> None:
        self.seconds, self.error = seconds, error

    def __call__(self, inputs: Any, /) -> Any:
        time.sleep(self.seconds)
        rows = inputs.reshape(len(inputs), -1).astype(np.float32)
        return rows + self.error * rows[:, ::-1]


def choice(others: dict[str, Callable[[], Any]]) -> Any:
    return fastest(PLAIN, others, EXAMPLE, of="an encoder")


PLAIN, FASTER, FASTEST = Way(0.05), Way(0.02), Way(0.001)
SAME_SPEED, WRONG = Way(0.05), Way(0.0, error=0.2)


def broken() -> Way:
    raise RuntimeError("no such operation on this device")


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({}, PLAIN),
        ({"half": lambda: FASTER}, FASTER),
        ({"half": lambda: FASTER, "other": lambda: FASTEST}, FASTEST),
        ({"half": lambda: FASTEST, "other": lambda: FASTER}, FASTEST),
        ({"half": lambda: SAME_SPEED}, PLAIN),
        ({"half": lambda: WRONG}, PLAIN),
        ({"half": broken, "other": lambda: FASTER}, FASTER),
    ],
)
def test_the_fastest_of_those_that_agree(
    others: dict[str, Callable[[], Any]], expected: Way
) -> None:
    assert choice(others) is expected


def test_features_that_are_not_numbers_agree_with_nothing() -> None:
    assert choice({"half": lambda: Way(0.0, error=float("nan"))}) is PLAIN


def test_the_choice_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="imgrec.embedders.probing"):
        choice({"half": lambda: WRONG, "third": broken})
    assert "an encoder in half: cosine 0.9" in caplog.text
    assert "cannot run in third here: no such operation" in caplog.text
    assert "an encoder runs in the plain way" in caplog.text


@pytest.mark.parametrize("side", [8, 224, 299])
def test_the_probes_pictures_use_the_whole_range_and_differ(side: int) -> None:
    made = pictures(side)
    assert made.shape == (probing.PICTURES, side, side, 3)
    assert made.dtype == np.uint8
    assert (made.min((1, 2, 3)) == 0).all()
    assert (made.max((1, 2, 3)) == 255).all()
    assert len({each.tobytes() for each in made}) == probing.PICTURES
    assert np.array_equal(made, pictures(side))
