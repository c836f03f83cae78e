"""What was counted, read for people: per place and space, per day, per arm of an experiment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import QuerySet, Sum

from imgrec.earning.figures import Share
from imgrec.earning.tables import Arm, Experiment, ListCount
from imgrec.earning.tokens import today


@dataclass(frozen=True)
class Counts:
    """Lists that were shown, seen, clicked; and the cards clicked."""

    shown: int = 0
    seen: int = 0
    clicked: int = 0
    clicks: int = 0

    @property
    def share(self) -> Share:
        """Lists clicked of lists seen: the click-through rate."""
        return Share(self.clicked, self.seen)

    def __add__(self, other: Counts) -> Counts:
        """Return the sum of both."""
        return Counts(
            self.shown + other.shown,
            self.seen + other.seen,
            self.clicked + other.clicked,
            self.clicks + other.clicks,
        )


@dataclass(frozen=True)
class Line:
    """The counts of a place and space, and of an arm where two were compared."""

    placement: str
    space: str
    experiment: int
    arm: str
    counts: Counts


@dataclass(frozen=True)
class Arms:
    """What was counted of both arms up to some day."""

    a: Counts = field(default_factory=Counts)
    b: Counts = field(default_factory=Counts)

    @property
    def seen(self) -> int:
        """How far the arm is that has fewer."""
        return min(self.a.seen, self.b.seen)


_SUMS = {name: Sum(name) for name in ("shown", "seen", "clicked", "clicks")}


def since(days: int) -> dt.date:
    """Return the first of so many days, today among them."""
    return today() - dt.timedelta(days=days - 1)


def lines(days: int) -> list[Line]:
    """Return what was counted in the last days, place by place."""
    names = ("placement", "space", "experiment", "arm")
    rows = ListCount.objects.filter(day__gte=since(days)).values_list(*names).annotate(**_SUMS)
    found = rows.order_by("placement", "experiment", "arm", "space")
    return [
        Line(placement, space, experiment, arm, Counts(*counts))
        for placement, space, experiment, arm, *counts in found.values_list(*names, *_SUMS)
    ]


def by_day(days: int) -> list[tuple[dt.date, Counts]]:
    """Return each of the last days with what was counted on it, days of nothing among them."""
    first = since(days)
    rows = ListCount.objects.filter(day__gte=first).values_list("day").annotate(**_SUMS)
    known = {day: Counts(*counts) for day, *counts in rows.values_list("day", *_SUMS)}
    each = (first + dt.timedelta(days=n) for n in range(days))
    return [(day, known.get(day, Counts())) for day in each]


def arms_by_day(experiment: Experiment) -> list[tuple[dt.date, Arms]]:
    """Return each day on which something was counted with both arms' sums up to its end."""
    rows = _of(experiment).values_list("day", "arm").annotate(**_SUMS).order_by("day", "arm")
    found: list[tuple[dt.date, Arms]] = []
    for day, arm, *counts in rows.values_list("day", "arm", *_SUMS):
        before = found[-1][1] if found else Arms()
        if found and found[-1][0] == day:
            found.pop()
        new = Counts(*counts)
        is_b = arm == Arm.B
        now = Arms(before.a, before.b + new) if is_b else Arms(before.a + new, before.b)
        found.append((day, now))
    return found


def _of(experiment: Experiment) -> QuerySet[ListCount]:
    return ListCount.objects.filter(experiment=experiment.pk)
