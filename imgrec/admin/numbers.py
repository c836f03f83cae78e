"""Numbers as people read them."""

from __future__ import annotations

from django.utils.formats import number_format


def rounded(number: float, digits: int = 0) -> str:
    """Return a number as text; ``number_format`` alone cuts digits off."""
    return number_format(round(number, digits), digits)


def pace(number: float) -> str:
    """Return a rate as text: its tenths say something as long as it is small."""
    return rounded(number, 0 if number >= 10 else 1)
