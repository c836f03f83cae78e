"""What the benchmarks of lists share: building, timing, and the truth in float64."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

SERVED, STORED = 64, 96
MEGABYTE = 1_000_000
KIBIBYTE = 1024
AT_ONCE = 500


def the_space() -> Any:
    """Return the shop's one space."""
    from imgrec.spaces import all_spaces

    return all_spaces()[0]


def build_anew() -> None:
    """Build all lists as a worker does, from none."""
    from imgrec import neighbours

    the_space().list_model.objects.all().delete()
    neighbours.rebuild(the_space())
    while neighbours.work(the_space()):
        pass


def timed(work: Callable[[], Any]) -> float:
    """Return the seconds that takes."""
    started_at = time.perf_counter()
    work()
    return time.perf_counter() - started_at


def taking_turns(works: list[Callable[[], Any]], repeats: int) -> list[float]:
    """Return the median seconds of each, every round running all of them."""
    rounds = [[timed(work) for work in works] for _ in range(repeats)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def extra_memory(work: Callable[[], Any] = build_anew) -> tuple[float, float]:
    """Return the megabytes that ``work``, a function of a module, adds to a process, and seconds.

    The megabytes are those at its peak; the process is one of its own.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_extra_memory, [work])


def _extra_memory(work: Callable[[], Any]) -> tuple[float, float]:
    import django

    django.setup()
    unit = np.ones((64, 64), np.float32)
    _ = unit @ unit  # the threads of the matrix product are there in any worker
    the_space().list_model.objects.count()
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak()
    seconds = timed(work)
    return (_peak() - before) / MEGABYTE, seconds


def _peak() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    kibibytes = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(kibibytes) * KIBIBYTE


def stored_vectors() -> tuple[list[Any], Any]:
    """Return the keys, and the vectors as they are stored, in float64 of length 1."""
    rows = the_space().embedding_model.objects.order_by("owner").values_list("owner", "vector")
    keys, halves = [], []
    for key, vector in rows.iterator(2_000):
        keys.append(key)
        halves.append(np.asarray(vector, np.float16))
    wide = np.stack(halves).astype(np.float64)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    return keys, wide


def worst_difference(sample: int | None = None) -> float:
    """Return how far stored similarities are from float64's, in all lists or a sample."""
    keys, wide = stored_vectors()
    chosen = keys
    if sample and sample < len(keys):
        chosen = np.random.default_rng(0).choice(keys, sample, replace=False).tolist()
    lists = the_space().list_model.objects.filter(owner__in=chosen)
    rows = list(lists.values_list("owner", "neighbours", "similarities"))
    assert len(rows) == len(chosen), "a list is missing"
    return max(_worst(rows[at : at + AT_ONCE], wide) for at in range(0, len(rows), AT_ONCE))


def _worst(rows: list[Any], wide: Any) -> float:
    own = np.array([owner - 1 for owner, _items, _similarities in rows])  # keys count from 1
    table = np.clip(wide[own] @ wide.T, 0, 1)
    table[np.arange(len(own)), own] = -1
    truth = -np.partition(-table, STORED - 1, axis=1)[:, :STORED]
    truth = -np.sort(-truth, axis=1)
    return max(_differences(rows, table, truth))


def _differences(rows: list[Any], table: Any, truth: Any) -> Iterable[float]:
    for row, best, (_owner, items, similarities) in zip(table, truth, rows, strict=True):
        assert len(set(items)) == len(items) >= SERVED
        mine = row[np.array(items) - 1]
        yield float(np.abs(mine - best[: len(items)]).max())
        yield float(np.abs(mine - similarities).max())
