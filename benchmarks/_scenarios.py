"""What is simulated: imgrec's workers and pages around shared databases and locks."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks._demands import FEW, TILE_ITEMS, Demand, Demands
from benchmarks._simulation import Clock, Cores, Step

DATABASE_CORES = 8
BUILT = 250_000  # the most that are built exactly, unless the shop says otherwise
LONG_SECONDS = 1_800.0  # of simulated work that has no end
SAVING_SECONDS, BEHIND_SECONDS, REST_SECONDS = 600.0, 60.0, 1.0
PAGES, PAGES_EACH = 20_000, 1_000  # in all at least, and of each replica
UNEVEN = 0.2  # by how much what workers do alone takes more or less from time to time


@dataclass(frozen=True)
class Outcome:
    """A figure (hours, or pieces a second), and how busy the database was (0..1)."""

    value: float
    load: float


@dataclass
class Site:
    """One database and its clock."""

    clock: Clock = field(default_factory=Clock)
    database: Cores = field(init=False)
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def __post_init__(self) -> None:
        self.database = Cores(self.clock, DATABASE_CORES)

    def work(self, demand: Demand) -> Iterator[Step]:
        """Ask the database, then work on a core of one's own."""
        yield self.database.use(demand.database)
        yield self.clock.wait(demand.worker * self.chance.uniform(1 - UNEVEN, 1 + UNEVEN))


def build(demands: Demands, workers: int, items: int) -> Outcome:
    """Build the exact lists of ``items`` products in tiles; the value is in hours."""
    site = Site()
    tiles = iter(range(math.ceil(items / TILE_ITEMS)))
    for _ in range(workers):
        site.clock.start(_builder(site, demands, tiles, items))
    site.clock.run()
    return Outcome(site.clock.now / 3600, site.database.load)


def _builder(site: Site, demands: Demands, tiles: Iterator[int], items: int) -> Iterator[Step]:
    for _tile in tiles:
        yield from site.work(demands.pass_row.times(items))
        yield from site.work(demands.list_written.times(TILE_ITEMS))


def embed(demands: Demands, workers: int) -> Outcome:
    """Embed a backlog; photos a second."""
    site = Site()
    done = [0]

    def worker() -> Iterator[Step]:
        while True:
            yield from site.work(demands.batch)
            done[0] += FEW

    for _ in range(workers):
        site.clock.start(worker())
    site.clock.run(LONG_SECONDS)
    return Outcome(done[0] / site.clock.now, site.database.load)


@dataclass
class Space:
    """Of a space: saved photos, embedded ones whose lists wait, whether its lock is held."""

    photos: int = 0
    marks: int = 0
    is_locked: bool = False


def save(demands: Demands, workers: int, *, spaces: int) -> Outcome:
    """Return the highest rate of saved photos that embedding and repairing keep up with."""
    most = workers * FEW / demands.batch.worker
    least, best = most / 1000, Outcome(0.0, 0.0)
    for _step in range(9):
        rate = math.sqrt(least * most)
        left, load = _saving(demands, workers, spaces, rate)
        if left <= BEHIND_SECONDS * rate:
            least, best = rate, Outcome(rate, load)
        else:
            most = rate
    return best


def _saving(demands: Demands, workers: int, spaces: int, rate: float) -> tuple[int, float]:
    """Return what is left to do at the end, and the database's load."""
    site = Site()
    everything = [Space() for _ in range(spaces)]

    def merchants() -> Iterator[Step]:
        while True:
            yield site.clock.wait(1.0)
            for space in everything:
                space.photos += int(rate / spaces + site.chance.random())

    site.clock.start(merchants())
    for number in range(workers):
        first = number % spaces
        site.clock.start(_saver(site, demands, everything[first:] + everything[:first]))
    site.clock.run(SAVING_SECONDS)
    left = sum(space.photos + space.marks for space in everything)
    return left, site.database.load


def _saver(site: Site, demands: Demands, spaces: list[Space]) -> Iterator[Step]:
    """A worker: a batch of each of its spaces in turn, their lists now and then, or a rest."""
    from imgrec.indexing import LISTS_EVERY_SECONDS, LISTS_SHARE

    repair_at = dict.fromkeys(range(len(spaces)), LISTS_EVERY_SECONDS)
    while True:
        is_idle = True
        for number, space in enumerate(spaces):
            some = min(space.photos, FEW)
            if some:
                space.photos -= some
                is_idle = False
                yield from site.work(demands.batch.times(some / FEW))
                space.marks += some
            began = site.clock.now
            if (some and began < repair_at[number]) or not space.marks or space.is_locked:
                continue
            yield from _repairs(site, demands, space)
            is_idle = False
            pause = max(LISTS_EVERY_SECONDS, (site.clock.now - began) / LISTS_SHARE)
            repair_at[number] = site.clock.now + pause
        if is_idle:
            yield site.clock.wait(REST_SECONDS)


def _repairs(site: Site, demands: Demands, space: Space) -> Iterator[Step]:
    from imgrec.neighbours import MARKS_AT_ONCE

    space.is_locked = True
    while space.marks:
        some = min(space.marks, MARKS_AT_ONCE)
        yield from site.work(demands.repair + demands.repair_photo.times(some))
        space.marks -= some
    space.is_locked = False


def pages(demands: Demands, share: float, *, replicas: int = 1, builders: int = 0) -> float:
    """Return the p95 of a page's reads in seconds.

    ``share``: of what all replicas could do, pages that come at random times and go to a replica
    at random. ``builders``: workers that build lists on the first of them meanwhile.
    """
    site = Site()
    databases = [site.database, *(Cores(site.clock, DATABASE_CORES) for _ in range(replicas - 1))]
    count = max(PAGES, PAGES_EACH * replicas) * (5 if builders else 1)
    rate = share * replicas * DATABASE_CORES / demands.page.database
    took: list[float] = []

    def page(database: Cores) -> Iterator[Step]:
        began = site.clock.now
        yield database.use(demands.page.database)
        took.append(site.clock.now - began)

    tile = (demands.pass_row.times(BUILT) + demands.list_written.times(TILE_ITEMS)).worker

    def builder() -> Iterator[Step]:
        yield site.clock.wait(site.chance.uniform(0, tile))  # each is somewhere in its tile
        yield from _builder(site, demands, iter(int, 1), BUILT)

    def visitors() -> Iterator[Step]:
        yield site.clock.wait(tile)
        for _ in range(count):
            yield site.clock.wait(site.chance.expovariate(rate))
            site.clock.start(page(site.chance.choice(databases)))

    site.clock.start(visitors())
    for _ in range(builders):
        site.clock.start(builder())
    while len(took) < count:
        site.clock.run(site.clock.now + 1.0)
    return sorted(took)[int(0.95 * count)]


def highest(is_fine: Callable[[float], bool]) -> float:
    """Return the highest share of a database's capacity, in steps of 5 %, that is fine."""
    return next((step / 100 for step in range(95, 0, -5) if is_fine(step / 100)), 0.0)
