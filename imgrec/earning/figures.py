"""Shares and how sure they are: pure arithmetic, so that it can be held against textbooks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

# A difference that is none is taken for one in at most so many cases, and one as large as was
# looked for is found in so many.
ALPHA = 0.05
POWER = 0.8

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Share:
    """So many of so many: lists clicked among lists seen."""

    hits: int
    of: int

    @property
    def rate(self) -> float | None:
        """The share, 0..1; None of nothing."""
        return self.hits / self.of if self.of else None

    def interval(self, confidence: float = 1 - ALPHA) -> tuple[float, float] | None:
        """Return Wilson's interval, which stays within 0..1 for few and for none."""
        if not self.of:
            return None
        z, n, p = _NORMAL.inv_cdf((1 + confidence) / 2), self.of, self.hits / self.of
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low = 0.0 if self.hits == 0 else middle - half
        high = 1.0 if self.hits == n else middle + half
        return low, high


@dataclass(frozen=True)
class Difference:
    """Share b against share a: how much more of a, as a fraction of a's rate (0.12: 12 % more)."""

    relative: float
    low: float
    high: float
    p: float

    @property
    def is_significant(self) -> bool:
        """Whether both say so: the test, and an interval without 0. They may differ by a hair."""
        return self.p < ALPHA and not self.low <= 0 <= self.high


def sample_size(rate: float, effect: float, *, alpha: float = ALPHA, power: float = POWER) -> int:
    """Return how many each of two arms needs, to tell ``rate`` from ``rate * (1 + effect)``.

    Of a two-sided test of two proportions, without continuity correction: Fleiss, Levin, Paik,
    *Statistical Methods for Rates and Proportions*, 4.2; what R's ``power.prop.test`` gives.

    Raises:
        ValueError: not 0 < rate < rate * (1 + effect) < 1.
    """
    other = rate * (1 + effect)
    if not 0 < rate < other < 1:
        raise ValueError(f"{rate:.4g} and {other:.4g} must be two rates between 0 and 1, rising.")
    mean = (rate + other) / 2
    chance = _NORMAL.inv_cdf(1 - alpha / 2) * math.sqrt(2 * mean * (1 - mean))
    found = _NORMAL.inv_cdf(power) * math.sqrt(rate * (1 - rate) + other * (1 - other))
    return math.ceil(((chance + found) / (other - rate)) ** 2)


def difference(a: Share, b: Share) -> Difference:
    """Compare two shares, neither of nothing.

    The p-value is of the two-sided z-test with pooled variance, the interval that of the ratio
    of two rates, on the scale of its logarithm (Katz). Where an arm has no hits, half a hit more
    in each keeps the ratio finite.
    """
    half = 0.0 if a.hits and b.hits else 0.5
    (x, m), (y, n) = (a.hits + half, a.of + half), (b.hits + half, b.of + half)
    ratio = (y / n) / (x / m)
    spread = math.sqrt(1 / x - 1 / m + 1 / y - 1 / n)
    reach = _NORMAL.inv_cdf(1 - ALPHA / 2) * spread
    low, high = ratio * math.exp(-reach), ratio * math.exp(reach)
    return Difference(ratio - 1, low - 1, high - 1, p_value(a, b))


def p_value(a: Share, b: Share) -> float:
    """Return how often chance alone sets two equal shares so far apart."""
    pooled = (a.hits + b.hits) / (a.of + b.of)
    error = math.sqrt(pooled * (1 - pooled) * (1 / a.of + 1 / b.of))
    return 1.0 if error == 0 else _two_sided((b.hits / b.of - a.hits / a.of) / error)


def split_p_value(a: int, b: int, share_of_b: float) -> float:
    """Return how often chance alone splits a + b so unlike the share that b was to get."""
    total = a + b
    if not total:
        return 1.0
    error = math.sqrt(total * share_of_b * (1 - share_of_b))
    return _two_sided((b - total * share_of_b) / error)


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))
