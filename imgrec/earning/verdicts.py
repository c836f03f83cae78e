"""What may be said of two arms, and when: nothing before the views agreed on are there.

Whoever looks at a running comparison every day and stops when it looks good finds differences
where there are none. So the number of views is written down at the start, and the verdict is of
the first day at whose end both arms have them: the same whoever looks, whenever, how often.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum

from imgrec.earning.figures import Difference, difference, split_p_value
from imgrec.earning.report import Arms, arms_by_day
from imgrec.earning.tables import Experiment
from imgrec.earning.tokens import still_counted

# Arms that were shown as unevenly as chance does once in so many cases are not comparable.
UNEVEN = 0.001


class Ruling(Enum):
    """What is said of an experiment."""

    TOO_EARLY = "too early"
    ENDED_EARLY = "ended early"
    UNEVEN = "uneven"
    A = "a"
    B = "b"
    NO_DIFFERENCE = "no difference"


@dataclass(frozen=True)
class Verdict:
    """What may be said, and of what.

    ``arms``: what was counted, up to the day the verdict is of, or up to now when there is none.
    """

    ruling: Ruling
    arms: Arms
    needed: int
    day: dt.date | None = None
    difference: Difference | None = None


def judge(experiment: Experiment, days: list[tuple[dt.date, Arms]], now: dt.date) -> Verdict:
    """Return the verdict of an experiment's sums by day; those before ``now`` are over for good."""
    needed = experiment.needed
    whole = [(day, arms) for day, arms in days if day < now]
    reached = next(((day, arms) for day, arms in whole if arms.seen >= needed), None)
    if reached is None:
        early = Ruling.ENDED_EARLY if experiment.ended_at else Ruling.TOO_EARLY
        return Verdict(early, days[-1][1] if days else Arms(), needed)
    day, arms = reached
    found = difference(arms.a.share, arms.b.share)
    return Verdict(_ruling(experiment, arms, found), arms, needed, day, found)


def _ruling(experiment: Experiment, arms: Arms, found: Difference) -> Ruling:
    split = split_p_value(arms.a.shown, arms.b.shown, experiment.share_of_b / 100)
    if split < UNEVEN:
        return Ruling.UNEVEN
    if not found.is_significant:
        return Ruling.NO_DIFFERENCE
    return Ruling.B if found.relative > 0 else Ruling.A


def verdict(experiment: Experiment) -> Verdict:
    """Return what may be said of an experiment by now."""
    return judge(experiment, arms_by_day(experiment), still_counted())
