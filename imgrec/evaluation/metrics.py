"""What a ranked list is worth: plain functions on arrays, without a database.

A list is a row of places: numbers of items, most similar first, -1 where it is short of k.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

# A hub is in more than this many times as many lists as an item is on average.
HUB = 5


def relevant(places: Places, own: Places, codes: Places) -> Flags:
    """Return which results have the label of what was asked, (n, k).

    Args:
        places: the lists, (n, k).
        own: the place of each item that was asked, (n).
        codes: a number for the label of every item, (m); -1 for an item without one, which is
            like nothing.
    """
    found = np.where(places >= 0, codes[places], -1)
    same: Flags = (found == codes[own][:, None]) & (found >= 0)
    return same


def average_precision(hits: Flags, possible: Places) -> Floats:
    """Return AP@k of each list, 0..1: the mean, over its hits, of the precision up to each.

    Divided by how many hits there could have been: ``possible`` (n), at most k. NaN where there
    could have been none.
    """
    ranks = np.arange(1, hits.shape[1] + 1)
    precisions = np.cumsum(hits, axis=1) / ranks
    return _divided((precisions * hits).sum(axis=1), np.minimum(possible, hits.shape[1]))


def precision(hits: Flags, places: Places) -> Floats:
    """Return the share of each list's results that are hits, 0..1; NaN for an empty list."""
    return _divided(hits.sum(axis=1), (places >= 0).sum(axis=1))


def first_hits(hits: Flags, possible: Places) -> Floats:
    """Return 1 where the first result is a hit, else 0; NaN where there could have been none.

    Its mean is called recall@1.
    """
    return np.where(possible > 0, hits[:, :1].any(axis=1), np.nan).astype(np.float64)


def overlap(a: Places, b: Places) -> Floats:
    """Return how much two lists share, 0..1: of the longer one, whatever the order.

    NaN where both are empty. Both are (n, k), and no list names an item twice.
    """
    common = ((a[:, :, None] == b[:, None, :]) & (a[:, :, None] >= 0)).sum(axis=(1, 2))
    return _divided(common, np.maximum((a >= 0).sum(axis=1), (b >= 0).sum(axis=1)))


def mean(values: Floats) -> float | None:
    """Return the mean of what is not NaN, None when all is."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else None


@dataclass(frozen=True)
class Hubness:
    """How evenly lists name items, where every item has a list.

    ``nobody``: share of items in nobody's list. ``hubs``: items in more than five times as many
    lists as the average, ``hubs_hold``: the share of all places they take. ``most``: lists that
    the most frequent one is in. ``skewness``: of the number of lists an item is in; 0 is even,
    and far above 1 is a catalogue whose lists all show the same.
    """

    nobody: float
    hubs: int
    hubs_hold: float
    most: int
    skewness: float


def hubness(places: Places, candidates: Places) -> Hubness | None:
    """Return it for the lists (n, k), over the items that may be in one (m); None without any."""
    named = places[places >= 0]
    if not len(candidates) or not len(named):
        return None
    counts = np.bincount(named, minlength=int(candidates.max()) + 1)[candidates]
    hubs = counts > HUB * counts.mean()
    return Hubness(
        nobody=float((counts == 0).mean()),
        hubs=int(hubs.sum()),
        hubs_hold=float(counts[hubs].sum() / counts.sum()),
        most=int(counts.max()),
        skewness=skewness(counts.astype(np.float64)),
    )


def skewness(values: Floats) -> float:
    """Return the third standardised moment of the values, 0 where all are the same."""
    away = values - values.mean()
    spread = away.std()
    return float((away**3).mean() / spread**3) if spread else 0.0


def _divided(above: npt.NDArray[Any], below: Places) -> Floats:
    result = np.full(len(below), np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result
