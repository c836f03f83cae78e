"""Pictures of numbers, as SVG that a template draws: only where each bar goes is reckoned here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from imgrec.freshness import ENDS, Spread
from imgrec.states import PhotoState

WIDTH = 600
# A state that occurs is seen, however few photos are in it.
LEAST_WIDTH = 4
HEIGHT = 96


@dataclass(frozen=True)
class Part:
    """One state's part of the bar; ``x`` and ``width`` out of 600."""

    state: PhotoState
    photos: int
    percent: float
    x: float
    width: float


@dataclass(frozen=True)
class Bar:
    """One span of time; ``height`` out of 96."""

    name: str
    photos: int
    height: float

    @property
    def y(self) -> float:
        """Where it begins, counted from above."""
        return HEIGHT - self.height

    @property
    def text(self) -> str:
        """What it says, for those who cannot see it."""
        said = ngettext("%(name)s: %(n)d photo", "%(name)s: %(n)d photos", self.photos)
        return said % {"name": self.name, "n": self.photos}


def stacked(counts: dict[str, int]) -> list[Part]:
    """Return the states that occur side by side; together they are the whole width."""
    total = sum(counts.values())
    found = [(state, counts[state.value]) for state in PhotoState if counts.get(state.value)]
    found.sort(key=lambda pair: pair[0] != PhotoState.READY)
    spare = WIDTH - LEAST_WIDTH * len(found)
    parts, x = [], 0.0
    for state, photos in found:
        width = LEAST_WIDTH + spare * photos / total
        percent = 100 * photos / total
        parts.append(Part(state, photos, percent, round(x, 2), round(width, 2)))
        x += width
    return parts


def histogram(spread: Spread) -> list[Bar]:
    """Return a bar for each span, the fullest as high as the picture."""
    most = max(spread.photos) or 1
    names = [_span(number) for number in range(len(spread.photos))]
    return [
        Bar(name, photos, round((HEIGHT - 2) * photos / most, 2) + 2 * bool(photos))
        for name, photos in zip(names, spread.photos, strict=True)
    ]


def _span(number: int) -> str:
    if number == len(ENDS):
        return pgettext("imgrec", "longer")
    return _("under %(time)s") % {"time": duration(ENDS[number])}


def duration(seconds: float) -> str:
    """Return a duration as people say it."""
    if seconds < 10:
        said, n = _("%(n)s s"), f"{seconds:.2g}"
    elif seconds < 60:
        said, n = _("%(n)s s"), f"{seconds:.0f}"
    elif seconds < 3600:
        said, n = _("%(n)s min"), f"{seconds / 60:.0f}"
    else:
        said, n = _("%(n)s h"), f"{seconds / 3600:.0f}"
    # not in the texts themselves: xgettext reads no escapes
    return (said % {"n": number_format(n)}).replace(" ", "\N{NO-BREAK SPACE}")


def ticks(bars: Sequence[Bar]) -> list[tuple[float, str]]:
    """Return where some of the ends stand below the histogram, out of 600, and what they say."""
    each = WIDTH / len(bars)
    shown = [place for place, end in enumerate(ENDS) if end in (1, 5, 20, 60, 600, 3600)]
    return [(round(each * (place + 1), 2), duration(ENDS[place])) for place in shown]
