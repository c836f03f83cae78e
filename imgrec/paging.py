"""Where a page of look-alikes ended, as a token, so that the next neither repeats nor skips.

The order is by similarity, and what lists and live searches say of it differs by rounding. So the
next page begins a little before the place where the last one ended, and leaves out what was shown
there: those products are in the token, by a short hash. Where groups or duplicates are folded, all
that was shown is in it, since it decides about what comes later.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

from imgrec.errors import NoSuchPage

# More than what roundings of one similarity are apart.
ROUNDING = 1e-5
# Above all that a product's place may come from: where a page of pins alone ends.
TOP = 1e9
_MARK = 8  # characters


@dataclass(frozen=True)
class Page:
    """The end of the pages so far; ``query`` stands for what was asked for."""

    similarity: float
    shown: int
    keys: tuple[str, ...]  # marks of products
    groups: tuple[str, ...]
    query: str

    @classmethod
    def read(cls, token: str, query: str) -> Self:
        """Return the page a token stands for.

        Raises:
            NoSuchPage: it is none of ours, or of another query.
        """
        try:
            similarity, shown, keys, groups, asked = json.loads(urlsafe_b64decode(token.encode()))
            page = cls(float(similarity), int(shown), _split(keys), _split(groups), str(asked))
        except (ValueError, TypeError, AttributeError, NotBase64) as error:
            raise NoSuchPage("after= is no token: give the .next of a result.") from error
        if page.query != query or not page.similarity <= TOP or not 0 <= page.shown < 10**6:
            raise NoSuchPage(
                "after= is of another query: ask for the same products, group_by=, fold= and"
                " min_similarity= as for the page before."
            )
        return page

    @property
    def token(self) -> str:
        """The page as text for an address."""
        values = [
            round(self.similarity, 9),
            self.shown,
            "".join(self.keys),
            "".join(self.groups),
            self.query,
        ]
        return urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode()

    @property
    def most_similar(self) -> float:
        """The highest similarity on the next page."""
        return self.similarity + ROUNDING

    def is_past(self, similarity: float) -> bool:
        """Return whether a product of that similarity has had its turn."""
        return similarity > self.most_similar

    def has_shown(self, key: Any) -> bool:
        """Return whether a product was shown; those far above need not be known."""
        return mark(key) in self.keys

    def has_group(self, group: Any) -> bool:
        """Return whether a group has its card."""
        return mark(group) in self.groups


def page_after(
    before: Page | None,
    shown: Iterable[tuple[Any, float, Any]],
    query: str,
    *,
    keep_all: bool,
) -> Page | None:
    """Return where a page of these ``(key, similarity, group)`` ends; None for an empty one.

    ``keep_all``: remember every product, not only those near the end.
    """
    new = list(shown)
    if not new:
        return None
    end = min(similarity for _key, similarity, _group in new)
    keys: list[str] = []
    groups: list[str] = []
    if before is not None:
        end = min(end, before.similarity)
        groups += before.groups
        if keep_all or before.similarity <= end + 2 * ROUNDING:
            keys += before.keys
    near = [key for key, similarity, _ in new if keep_all or similarity <= end + 2 * ROUNDING]
    keys += map(mark, near)
    groups += [mark(group) for _key, _similarity, group in new if group is not None]
    count = len(new) + (before.shown if before else 0)
    return Page(end, count, tuple(dict.fromkeys(keys)), tuple(dict.fromkeys(groups)), query)


def mark(value: Any) -> str:
    """Return eight characters that stand for a value."""
    digest = blake2b(repr(value).encode(), digest_size=_MARK * 6 // 8).digest()
    return urlsafe_b64encode(digest).decode()


def _split(marks: str) -> tuple[str, ...]:
    return tuple(marks[i : i + _MARK] for i in range(0, len(marks), _MARK))
