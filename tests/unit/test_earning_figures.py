"""The arithmetic of click-through rates, against textbooks and against chance itself."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np
import pytest

from imgrec.earning.figures import (
    ALPHA,
    POWER,
    Share,
    difference,
    p_value,
    sample_size,
    split_p_value,
)
from imgrec.earning.report import Arms, Counts
from imgrec.earning.tables import Experiment
from imgrec.earning.verdicts import Ruling, judge

TRIALS = 4000
DAY = dt.date(2026, 3, 1)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (10, 100, 0.0552, 0.1744),
        (81, 263, 0.2553, 0.3662),  # Newcombe (1998), method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilsons_interval(hits: int, of: int, low: float, high: float) -> None:
    assert Share(hits, of).interval() == pytest.approx((low, high), abs=5e-5)


def test_of_nothing_there_is_no_rate() -> None:
    assert Share(0, 0).rate is None
    assert Share(0, 0).interval() is None


@pytest.mark.parametrize(
    ("rate", "other", "power", "needed"),
    [
        (0.50, 0.75, 0.90, 77),  # the example of R's power.prop.test: 76.7
        (0.10, 0.12, 0.80, 3841),
        (0.05, 0.06, 0.80, 8158),
    ],
)
def test_sample_sizes(rate: float, other: float, power: float, needed: int) -> None:
    assert sample_size(rate, other / rate - 1, power=power) == needed


def test_half_the_effect_takes_about_four_times_the_views() -> None:
    assert 3.5 < sample_size(0.02, 0.1) / sample_size(0.02, 0.2) < 4.1


@pytest.mark.parametrize(("rate", "effect"), [(0, 0.2), (0.02, 0), (0.02, -0.2), (0.6, 0.9)])
def test_what_cannot_be_told_apart_is_refused(rate: float, effect: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        sample_size(rate, effect)


def test_two_shares_worked_by_hand() -> None:
    # 30 and 50 of 200: pooled 0.2, standard error 0.04, z 2.5.
    found = difference(Share(30, 200), Share(50, 200))
    assert found.p == pytest.approx(0.012419, abs=1e-6)
    assert found.relative == pytest.approx(2 / 3)
    # ln(5/3) ± 1.96 * sqrt(1/30 - 1/200 + 1/50 - 1/200)
    assert (found.low, found.high) == pytest.approx((0.1083, 1.5063), abs=5e-5)
    assert found.is_significant


def test_turned_round_it_says_the_same() -> None:
    there, back = (
        difference(Share(30, 200), Share(50, 200)),
        difference(Share(50, 200), Share(30, 200)),
    )
    assert there.p == pytest.approx(back.p)
    assert (1 + there.low) * (1 + back.high) == pytest.approx(1)


def test_none_at_all_against_many_is_a_difference() -> None:
    found = difference(Share(0, 1000), Share(50, 1000))
    assert found.is_significant
    assert found.relative > 10
    assert p_value(Share(0, 10), Share(0, 10)) == 1


def test_an_uneven_split_is_seen() -> None:
    assert split_p_value(5000, 5000, 0.5) == 1
    assert split_p_value(0, 0, 0.5) == 1
    assert split_p_value(5000, 5400, 0.5) < 0.001
    assert split_p_value(9000, 1000, 0.1) == pytest.approx(1)


def experiment(needed: int) -> Experiment:
    return Experiment(pk=1, needed=needed, share_of_b=50)


def ruled(a: tuple[int, int], b: tuple[int, int], needed: int) -> Ruling:
    """Return the ruling on seen and clicked lists of two arms, one day long."""
    arms = Arms(*(Counts(shown=n, seen=n, clicked=k) for n, k in (a, b)))
    return judge(experiment(needed), [(DAY, arms)], DAY + dt.timedelta(days=1)).ruling


@pytest.mark.parametrize(("rate", "effect"), [(0.02, 0.5), (0.1, 0.2)])
def test_chance_alone_is_taken_for_a_difference_in_one_of_twenty_cases(
    rate: float, effect: float
) -> None:
    n, chance = sample_size(rate, effect), np.random.default_rng(7)
    clicks = chance.binomial(n, rate, (TRIALS, 2))
    wrong = sum(ruled((n, a), (n, b), n) in (Ruling.A, Ruling.B) for a, b in clicks.tolist())
    # Three standard deviations of what 4,000 trials give by chance.
    assert wrong / TRIALS <= ALPHA + 3 * (ALPHA * (1 - ALPHA) / TRIALS) ** 0.5


@pytest.mark.parametrize(("rate", "effect"), [(0.02, 0.5), (0.1, 0.2)])
def test_a_difference_as_large_as_looked_for_is_found_in_four_of_five(
    rate: float, effect: float
) -> None:
    n, chance = sample_size(rate, effect), np.random.default_rng(11)
    a, b = chance.binomial(n, rate, TRIALS), chance.binomial(n, rate * (1 + effect), TRIALS)
    pairs = zip(a.tolist(), b.tolist(), strict=True)
    found = sum(ruled((n, x), (n, y), n) is Ruling.B for x, y in pairs)
    assert found / TRIALS == pytest.approx(POWER, abs=0.025)


def test_looking_every_day_finds_nothing_that_looking_once_does_not() -> None:
    """The trap: of equal arms, who stops as soon as it looks good finds a winner far too often."""
    days, rate, chance = 20, 0.05, np.random.default_rng(3)
    needed = sample_size(rate, 0.2)
    daily, trials = needed // days + 1, 400
    clicks = chance.binomial(daily, rate, (trials, days, 2)).cumsum(axis=1).tolist()
    peeked = named = 0
    for trial in clicks:
        sums = [(daily * n, a, b) for n, (a, b) in enumerate(trial, 1)]
        peeked += any(difference(Share(a, n), Share(b, n)).is_significant for n, a, b in sums)
        named += any(verdict in (Ruling.A, Ruling.B) for verdict in looks(sums, needed))
    assert peeked / trials > 0.15
    assert named / trials <= 0.085  # 0.05 and three standard deviations of 400 trials


def looks(sums: list[tuple[int, int, int]], needed: int) -> list[Ruling]:
    """Return what is said on each day, and on the days after the end as well."""
    days = [
        (
            DAY + dt.timedelta(days=i),
            Arms(Counts(shown=n, seen=n, clicked=a), Counts(shown=n, seen=n, clicked=b)),
        )
        for i, (n, a, b) in enumerate(sums)
    ]
    ahead = [DAY + dt.timedelta(days=i) for i in range(1, len(days) + 10)]
    said = [judge(experiment(needed), days, now).ruling for now in ahead]
    settled = [each for each in said if each is not Ruling.TOO_EARLY]
    assert all(one is other for one, other in pairwise(settled)), "a verdict stands"
    return said


def test_before_the_views_are_there_no_winner_is_named() -> None:
    assert ruled((999, 10), (999, 200), needed=1000) is Ruling.TOO_EARLY
    assert ruled((1000, 10), (1000, 200), needed=1000) is Ruling.B
    assert ruled((1000, 200), (1000, 10), needed=1000) is Ruling.A
    assert ruled((1000, 50), (1000, 51), needed=1000) is Ruling.NO_DIFFERENCE
    assert ruled((1000, 10), (1400, 200), needed=1000) is Ruling.UNEVEN


def test_a_day_that_is_still_counted_does_not_count() -> None:
    arms = Arms(Counts(1000, 1000, 10), Counts(1000, 1000, 200))
    assert judge(experiment(1000), [(DAY, arms)], DAY).ruling is Ruling.TOO_EARLY


def test_what_was_ended_before_gets_no_verdict() -> None:
    ended = Experiment(
        pk=1, needed=1000, share_of_b=50, ended_at=dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    )
    arms = Arms(Counts(900, 900, 10), Counts(900, 900, 200))
    found = judge(ended, [(DAY, arms)], DAY + dt.timedelta(days=9))
    assert (found.ruling, found.day) == (Ruling.ENDED_EARLY, None)
