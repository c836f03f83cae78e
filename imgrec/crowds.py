"""Filters that lately left more eligible products than are searched exactly.

Counting them takes as long as searching the index does, and thousands of products seldom become
few within a minute. Until then a search under such a filter goes by the index without counting;
it is counted again as soon as the index comes up short.
"""

from __future__ import annotations

from collections.abc import Hashable
from time import monotonic

REMEMBERED_FOR = 60.0  # seconds
# More are not kept, in case filters vary without end.
MOST = 500

_until: dict[Hashable, float] = {}


def is_crowd(name: Hashable) -> bool:
    """Return whether there were many lately."""
    return _until.get(name, 0.0) > monotonic()


def note_crowd(name: Hashable) -> None:
    """Remember that there are many."""
    if len(_until) >= MOST:
        _until.clear()
    _until[name] = monotonic() + REMEMBERED_FOR


def forget_crowd(name: Hashable) -> None:
    """Have them counted by the next search."""
    _until.pop(name, None)


def forget() -> None:
    """Remember none any more."""
    _until.clear()
