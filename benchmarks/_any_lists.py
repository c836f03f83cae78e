"""Stored lists as long as a shop's, but of any products: what reading them costs is the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

LENGTH = 96


@dataclass(frozen=True)
class AnyLists:
    """Rows of a list table of ``n`` products, made a slice at a time: (n, 96) keys or cosines.

    Neighbours are strewn over the whole table, so that each is on a page of its own.
    """

    n: int
    is_keys: bool
    seed: int = 0

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, part: slice) -> Any:
        start, stop, _step = part.indices(self.n)
        count = stop - start
        if not self.is_keys:
            return np.tile(np.linspace(0.95, 0.55, LENGTH), (count, 1))
        # 96 distinct ones, evenly spaced, from a random one on; none is the product itself
        random = np.random.default_rng([self.seed, start])
        room = self.n - 1
        step = max(1, room // LENGTH)
        turned = (random.integers(0, LENGTH, (count, 1)) + np.arange(LENGTH)) % LENGTH
        places = (random.integers(0, room, (count, 1)) + step * turned) % room
        owners = np.arange(start, stop)[:, None]
        return (owners + 1 + places) % self.n + 1


def fill_any_lists(n: int, *, seed: int = 0) -> None:
    """Give each of ``n`` products a list.

    Without the index of who is in whose list: repairs need it, reading does not, and a million
    lists take minutes to get into it.
    """
    from django.db import connection

    from benchmarks.shop import fill_lists
    from imgrec.spaces import all_spaces

    with connection.cursor() as cursor:
        for index in all_spaces()[0].list_model._meta.indexes:
            cursor.execute(f'DROP INDEX IF EXISTS "{index.name}"')
    fill_lists(AnyLists(n, is_keys=True, seed=seed), AnyLists(n, is_keys=False))
