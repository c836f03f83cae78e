"""How long a saved photo takes until its list is served: counted as it happens, in wide spans.

Only photos that somebody saved count, not those of a reindex or a sweep. An hour's photos are kept
as how many fell into each span, for two days: a few rows, and good for a median within its span.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import connections
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Now

from imgrec.models import EmbeddingJob, Freshness
from imgrec.spaces import SpaceDefinition

# Each span ends before this many seconds; the last has no end. Rows refer to them by number.
ENDS = (1, 2, 3, 5, 8, 12, 20, 30, 60, 120, 300, 600, 1800, 3600)

_ADD = """
INSERT INTO imgrec_freshness AS known (space, hour, span, photos)
SELECT %s, date_trunc('hour', statement_timestamp()), span, photos
FROM unnest(%s::int[], %s::int[]) AS new(span, photos)
ON CONFLICT (space, hour, span) DO UPDATE SET photos = known.photos + EXCLUDED.photos
"""
_FORGET = """
DELETE FROM imgrec_freshness WHERE space = %s AND hour < statement_timestamp() - interval '48 hours'
"""


@dataclass(frozen=True)
class Spread:
    """Photos of the last day by span (one more than there are ends)."""

    photos: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many photos that is."""
        return sum(self.photos)

    def seconds_of(self, share: float) -> float | None:
        """Return within how many seconds this share was served, None where nothing was.

        Evenly spread within a span: right within its ends. What took longer than the last end
        counts as that.
        """
        if not self.total:
            return None
        borders = np.array([0.0, *ENDS, ENDS[-1]])
        counts = np.concatenate([[0], np.cumsum(self.photos)])
        wanted = share * self.total
        span = int(np.searchsorted(counts, wanted, side="left"))
        low, high = borders[span - 1], borders[min(span, len(borders) - 1)]
        inside = (wanted - counts[span - 1]) / self.photos[span - 1]
        return float(low + (high - low) * inside)


def note(space: SpaceDefinition, marks: QuerySet[EmbeddingJob]) -> None:
    """Count the saved photos among marks whose lists are now up to date, in their transaction."""
    # marks beside any job, of a row that moved, were never claimed
    saved = marks.filter(priority=0, attempts__gt=0).annotate(waited=Now() - F("created_at"))
    spans = Counter(
        int(np.searchsorted(ENDS, waited.total_seconds(), side="right"))
        for waited in saved.values_list("waited", flat=True)
    )
    if not spans:
        return
    with connections[space.using].cursor() as cursor:
        cursor.execute(_ADD, [space.label, list(spans), list(spans.values())])
        cursor.execute(_FORGET, [space.label])


def last_day(space: SpaceDefinition) -> Spread:
    """Return the spread of the last 24 hours, the present one begun. One SELECT."""
    rows = Freshness.objects.using(space.using).filter(
        space=space.label, hour__gt=Now() - timedelta(hours=24)
    )
    found: Any = dict(rows.order_by().values_list("span").annotate(n=Sum("photos")))
    return Spread(tuple(found.get(span, 0) for span in range(len(ENDS) + 1)))
