"""A chart of the days, as the numbers an SVG is drawn from."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format

from imgrec.admin import earning_words as words
from imgrec.earning.report import Counts

WIDTH, HEIGHT = 720, 120


@dataclass(frozen=True)
class Bar:
    """One day: where its bar stands, and what it says."""

    x: str
    y: str
    width: str
    height: str
    said: str


@dataclass(frozen=True)
class Chart:
    """One row of bars, a day each; ``top`` is what the full height stands for."""

    title: str
    top: str
    bars: list[Bar]
    first: str
    last: str


def seen_chart(title: str, days: list[tuple[dt.date, Counts]]) -> Chart:
    """Return the chart of lists seen a day."""
    values = [float(counts.seen) for _day, counts in days]
    top = _round_up(max(values, default=0))
    return _chart(title, days, values, top, words.grouped(top))


def rate_chart(title: str, days: list[tuple[dt.date, Counts]]) -> Chart:
    """Return the chart of the click-through rate a day."""
    values = [counts.share.rate or 0.0 for _day, counts in days]
    top = _round_up(100 * max(values, default=0)) / 100
    return _chart(title, days, values, top, words.percent(top, 0 if top >= 0.01 else 1))


def _chart(
    title: str, days: list[tuple[dt.date, Counts]], values: list[float], top: float, said: str
) -> Chart:
    step = WIDTH / len(days)
    bars = [
        Bar(_n(number * step), _n(HEIGHT - height), _n(step * 0.75), _n(height), _said(day, counts))
        for number, ((day, counts), value) in enumerate(zip(days, values, strict=True))
        for height in [HEIGHT * value / top]
    ]
    return Chart(title, said, bars, _date(days[0][0]), _date(days[-1][0]))


def numbers(days: list[tuple[dt.date, Counts]]) -> list[dict[str, Any]]:
    """Return what the charts show as rows, newest first: for whoever does not see them."""
    found = [
        {
            "day": day,
            "seen": words.grouped(counts.seen),
            "clicked": words.grouped(counts.clicked),
            "rate": words.rate(counts.share),
        }
        for day, counts in days
    ]
    return found[::-1]


def _said(day: dt.date, counts: Counts) -> str:
    numbers = (words.grouped(counts.seen), words.rate(counts.share))
    return f"{_date(day)}: {' · '.join(numbers)}"


def _date(day: dt.date) -> str:
    return date_format(day, "MONTH_DAY_FORMAT")


def _n(value: float) -> str:
    """Return a number as SVG has it, whatever the language of the page."""
    return f"{value:.1f}"


def _round_up(value: float) -> float:
    """Return the next round number: 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(each * power for each in (1, 2, 5, 10) if each * power >= value * (1 - 1e-9))
