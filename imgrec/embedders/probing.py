"""Which way of computing a network is fastest on this machine, and still means the same.

Half precision is taken only where it is seen to be both: ResNet-18 keeps its features in bfloat16,
EfficientNet-Lite0 does not, and a processor without bfloat16 only imitates it, slowly.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from imgrec.embedders.forward import Forward
from imgrec.embedders.normalising import normalise
from imgrec.embedders.protocol import Prepared, Vectors

logger = logging.getLogger(__name__)

# The least cosine to the plain way that any of the probe's pictures may have.
LEAST_COSINE = 0.9995
# The share of the plain way's time that a half precision may take to be worth its rounding.
MOST_TIME = 0.85
PICTURES, ROUNDS = 8, 2

Way = TypeVar("Way", bound=Forward)


def pictures(side: int) -> NDArray[np.uint8]:
    """Return made-up pictures, (PICTURES, side, side, 3): like photos, uneven at every scale."""
    rng = np.random.default_rng(0)
    total = np.zeros((PICTURES, side, side, 3))
    for cells in (2, 3, 5, 9, 17, 33, 65, 129):
        blocks = rng.normal(size=(PICTURES, cells, cells, 3)) / np.sqrt(cells)
        where = np.arange(side) * cells // side
        total += blocks[:, where][:, :, where]
    low, high = total.min((1, 2, 3), keepdims=True), total.max((1, 2, 3), keepdims=True)
    return np.asarray((total - low) / (high - low) * 255, dtype=np.uint8)


def fastest(
    plain: Way,
    others: dict[str, Callable[[], Way]],
    example: Prepared,
    *,
    of: str,
    most_time: float = MOST_TIME,
) -> Way:
    """Return the fastest of ``plain`` and those of the ``others`` that agree with it.

    Says in the log, under the encoder's name ``of``, what was chosen and why. ``most_time``: the
    share of the plain way's time that another may take.
    """
    expected, plain_seconds = _timed(plain, example)
    best, name, least = plain, "the plain way", most_time
    for other, make in others.items():
        try:
            candidate = make()
            rows, seconds = _timed(candidate, example)
        except RuntimeError as error:  # what torch raises where a device lacks an operation
            logger.info("imgrec: %s cannot run in %s here: %s", of, other, error)
            continue
        cosine, share = float((rows * expected).sum(axis=1).min()), seconds / plain_seconds
        logger.info("imgrec: %s in %s: cosine %.5f, time %.2f", of, other, cosine, share)
        if cosine >= LEAST_COSINE and share <= least:
            best, name, least = candidate, other, share
    logger.info(
        "imgrec: %s runs in %s (others: cosine from %.4f, time to %.2f of the plain way's)",
        of, name, LEAST_COSINE, most_time,
    )  # fmt: skip
    return best


def _timed(forward: Forward, example: Prepared) -> tuple[Vectors, float]:
    """Return the unit rows, and the least time of a few rounds: other work only adds to it."""
    taken = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        rows = forward(example)
        taken.append(time.perf_counter() - begin)
    return normalise(rows), min(taken)
