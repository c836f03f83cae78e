"""What a rendered list carries to be counted by: signed, for an hour, and of nobody."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any, Self

from django.core.signing import BadSignature, TimestampSigner
from django.utils import timezone

MAX_AGE = dt.timedelta(hours=1)
# Of a list's cards: what fits into the bits of a column.
MOST_CARDS = 60


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="imgrec.earning")


@dataclass(frozen=True)
class Token:
    """One list, rendered once. ``nonce`` is random: it tells renderings apart, not shoppers."""

    placement: str
    space: str
    experiment: int
    arm: str
    day: dt.date  # on which it was rendered, by the project's clock
    cards: int
    nonce: int

    @classmethod
    def new(cls, placement: str, space: str, *, experiment: int, arm: str, cards: int) -> Self:
        """Return the token of a list rendered now."""
        most, nonce = min(cards, MOST_CARDS), secrets.randbits(63)
        return cls(placement, space, experiment, arm, today(), most, nonce)

    @property
    def text(self) -> str:
        """The token as it stands in the page."""
        values = (self.placement, self.space, self.experiment, self.arm)
        numbers = (self.day.toordinal(), self.cards, self.nonce)
        return _signer().sign_object([*values, *numbers])

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the token of a text that we signed within the last hour.

        Raises:
            BadSignature: we did not, or it is older, or from an imgrec that signed other things.
        """
        try:
            values: list[Any] = _signer().unsign_object(text, max_age=MAX_AGE)
            placement, space, experiment, arm, day, cards, nonce = values
            day = dt.date.fromordinal(day)
            return cls(placement, space, experiment, arm, day, cards, nonce)
        except (TypeError, ValueError) as error:
            raise BadSignature("signed by another version of imgrec") from error


def today() -> dt.date:
    """Return the day by the project's clock, whichever time zone is a visitor's."""
    return _day(timezone.now())


def still_counted() -> dt.date:
    """Return the first day whose lists may still be clicked: all before it are over for good."""
    return _day(timezone.now() - MAX_AGE)


def _day(moment: dt.datetime) -> dt.date:
    return timezone.localtime(moment, timezone.get_default_timezone()).date()
