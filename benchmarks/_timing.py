"""Times several ways to the same end, in turns, so that a busy machine is busy for all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WARM_UP = 20


@dataclass(frozen=True)
class Times:
    """Milliseconds of one call: medians over rounds of each round's p50 and p95."""

    p50: float
    p95: float


def in_turns(
    ways: Mapping[str, Callable[[Any], Any]], arguments: Sequence[Any], rounds: int
) -> dict[str, Times]:
    """Call every way with every argument, each time another one first, ``rounds`` times."""
    names = list(ways)
    for argument in arguments[:WARM_UP]:
        for way in ways.values():
            way(argument)
    taken: dict[str, list[list[float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            taken[name].append([])
        for number, argument in enumerate(arguments):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                taken[name][-1].append(_milliseconds(ways[name], argument))
    return {name: _times(each) for name, each in taken.items()}


def _milliseconds(way: Callable[[Any], Any], argument: Any) -> float:
    started_at = time.perf_counter()
    way(argument)
    return 1000 * (time.perf_counter() - started_at)


def _times(rounds: list[list[float]]) -> Times:
    return Times(
        statistics.median(statistics.median(each) for each in rounds),
        statistics.median(statistics.quantiles(each, n=20)[-1] for each in rounds),
    )
