"""The benchmarks' simulation, where the outcome can be told by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import _scenarios
from benchmarks._demands import Demand, Demands
from benchmarks._scenarios import DATABASE_CORES, build, embed, highest, pages, save
from benchmarks._simulation import Clock, Cores, Step

NOTHING = Demand(0.0, 0.0)


def demands(**kinds: Demand) -> Demands:
    """Return demands of nothing but these kinds of work."""
    names = ("pass_row", "list_written", "batch", "repair", "repair_photo", "page")
    sizes = dict.fromkeys(("index_bytes", "vector_bytes", "list_bytes"), 0.0)
    return Demands(n=1, encoder="", **dict.fromkeys(names, NOTHING) | kinds, **sizes)


@pytest.mark.parametrize(("cores", "ends"), [(1, 4.0), (2, 2.0), (4, 1.0), (8, 1.0)])
def test_cores_are_shared(cores: int, ends: float) -> None:
    clock = Clock()
    shared = Cores(clock, cores)

    def process() -> Iterator[Step]:
        yield shared.use(1.0)

    for _ in range(4):
        clock.start(process())
    clock.run()
    assert clock.now == pytest.approx(ends)
    assert shared.load == pytest.approx(min(1.0, 4 / cores))


def test_what_takes_little_does_not_wait_for_what_takes_long() -> None:
    clock = Clock()
    shared = Cores(clock, 1)
    ends: dict[float, float] = {}

    def process(seconds: float) -> Iterator[Step]:
        yield shared.use(seconds)
        ends[seconds] = clock.now

    clock.start(process(10.0))
    clock.start(process(0.001))
    clock.run()
    assert ends[0.001] < 0.1
    assert ends[10.0] == pytest.approx(10.001)


def test_who_waits_takes_nobody_elses_time() -> None:
    clock = Clock()

    def process() -> Iterator[Step]:
        yield clock.wait(1.0)
        yield clock.wait(2.0)

    for _ in range(100):
        clock.start(process())
    clock.run()
    assert clock.now == pytest.approx(3.0)


def test_workers_add_up_until_the_database_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_scenarios, "LONG_SECONDS", 100.0)
    light = demands(batch=Demand(worker=1.0, database=0.0))
    heavy = demands(batch=Demand(worker=0.1, database=0.1))
    assert embed(light, 100).value == pytest.approx(100 * 32, rel=0.05)
    found = embed(heavy, 100)
    assert found.value == pytest.approx(DATABASE_CORES * 320, rel=0.05)
    assert found.load == pytest.approx(1.0, rel=0.02)


def test_a_build_ends_with_its_last_tile() -> None:
    each = demands(list_written=Demand(worker=1 / 4096, database=0.0))
    assert build(each, 1, 409_600).value * 3600 == pytest.approx(100.0, rel=0.05)
    assert 10.0 <= build(each, 10, 409_600).value * 3600 < 13.0


def test_one_lock_repairs_no_faster_by_more_workers() -> None:
    each = demands(batch=Demand(3.2, 0.0), repair_photo=Demand(0.1, 0.0))
    assert save(each, 20, spaces=1).value == pytest.approx(10.0, rel=0.15)
    assert save(each, 20, spaces=4).value == pytest.approx(40.0, rel=0.15)


def test_pages_wait_for_builders_on_the_same_database() -> None:
    each = demands(page=Demand(0.0, 0.001), list_written=Demand(0.0, 0.001))
    quiet, crowded = pages(each, 0.3), pages(each, 0.3, builders=50)
    assert quiet == pytest.approx(0.001, rel=0.1)
    assert crowded > 5 * quiet
    assert pages(each, 0.3, replicas=10) == pytest.approx(quiet, rel=0.1)


def test_the_highest_share_that_is_fine() -> None:
    assert highest(lambda share: share <= 0.62) == 0.6
    assert highest(lambda share: False) == 0.0
