"""Lists of a very large shop by clusters: some tiles are built and judged, the rest reckoned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._lists import extra_memory, the_space, timed
from benchmarks._report import Row
from benchmarks.shop import fill

K = 10
TIE = 1e-6
EXACT_SAMPLE = 4_096


def by_clusters(n: int, *, queries: int) -> list[Row]:
    """Plan all tiles, build tiles at random until ``queries`` lists are there, judge those."""
    fill(n, index=False)
    space = the_space()
    space.list_model.objects.all().delete()
    peak, planning = extra_memory(plan)
    seconds, built = _some_tiles(queries)
    recall = _recall(space)
    exact = _exact_seconds(space) * n / EXACT_SAMPLE
    total = planning + seconds * n / built
    name = f"{n:,}: "
    return [
        Row(f"{name}recall@10 of {built:,} lists", recall, "", "exact", 1.0),
        Row(
            f"{name}all lists by clusters (extrapolated)", total, "s", "exact (extrapolated)", exact
        ),
        Row(f"{name}planning of that", planning, "s", "all of it (extrapolated)", total),
        Row(f"{name}extra memory of planning", peak, "MB", "the vectors", n * 512 * 4 / 1e6),
    ]


def plan() -> None:
    """Make the tiles, in clusters whatever the size of the shop."""
    from django.db import transaction
    from django.test import override_settings

    from imgrec import tiles

    with override_settings(IMGREC={"exact_lists_below": 0}), transaction.atomic():
        tiles.plan(the_space(), the_space().embedder.version)


def _some_tiles(queries: int) -> tuple[float, int]:
    """Build tiles at random; return the seconds and how many lists that made."""
    from django.db import transaction

    from imgrec import tiles
    from imgrec.models import ListTile

    space = the_space()
    numbers = list(ListTile.objects.values_list("number", flat=True))
    seconds, built = 0.0, 0
    for number in np.random.default_rng(0).permutation(numbers).tolist():
        tile = ListTile.objects.get(number=number)
        with transaction.atomic():
            seconds += timed(lambda: tiles.build(space, space.embedder.version, tile))  # noqa: B023
        built += len(tile.items)
        if built >= queries:
            break
    return seconds, built


def _recall(space: Any) -> float:
    """Return how much of the true top ten the lists there are hold, ties counting."""
    lists = dict(space.list_model.objects.values_list("owner", "similarities"))
    owners = np.array(sorted(lists))
    bar = _tenth(space, owners)
    hits = [np.sum(np.array(lists[o][:K]) >= b - TIE) for o, b in zip(owners, bar, strict=True)]
    return float(np.mean(hits)) / K


def _tenth(space: Any, owners: NDArray[Any]) -> NDArray[np.float32]:
    """Return each owner's tenth largest similarity, by brute force over everything."""
    from django.db import transaction

    from imgrec import reading

    version = space.embedder.version
    with transaction.atomic():
        queries = reading.read(space, version, owners.tolist())
        best = np.full((len(owners), K), -1, np.float32)
        for chunk in reading.stream(space, version):
            products = queries.matrix @ chunk.matrix.T
            products[queries.items[:, None] == chunk.items[None, :]] = -1
            top = np.partition(products, -K, axis=1)[:, -K:]
            best = np.partition(np.hstack([best, top]), -K, axis=1)[:, -K:]
    return best.min(axis=1)


def _exact_seconds(space: Any) -> float:
    """Return how long the exact lists of some products take."""
    from django.db import transaction

    from imgrec import pairs, reading

    version = space.embedder.version
    with transaction.atomic():
        queries = reading.read(space, version, range(1, EXACT_SAMPLE + 1))
        passing = pairs.blocks(queries, reading.stream(space, version))
        return timed(lambda: pairs.nearest(queries, passing, 96))
