"""A reindex for a new encoder is killed again and again: little is redone, and no page notices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from hashlib import sha256

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models import QuerySet
from PIL import Image

from imgrec import jobs, neighbours, runs, states, vectors
from imgrec.conf import settings
from imgrec.models import EmbeddingJob, Space
from imgrec.spaces import SpaceDefinition
from imgrec.testing import ColourGrid
from imgrec.vectors import NewVector
from tests.brute_force import differences
from tests.elsewhere import elsewhere
from tests.faults.controls import PATIENCE_SECONDS, Controls
from tests.faults.crew import Crew
from tests.faults.readers import LIMIT, Shopper, shown_of
from tests.faults.sabotage import NEXT
from tests.pictures import png
from tests.testapp.models import Product
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PROCESSES = 2
PAGES = 1_000
AT_ONCE = 500
# What an encoder takes: processes shall be killed at work.
SECONDS_A_PHOTO = 0.005
SETTLED_SECONDS = 240


def fill(space: SpaceDefinition, count: int) -> None:
    """Make products that are ready, their photos as different in colours as without."""
    noise = np.random.default_rng(5)
    for begin in range(0, count, AT_ONCE):
        colours = noise.integers(0, 256, (min(AT_ONCE, count - begin), 4, 4, 3), dtype=np.uint8)
        pictures = [Image.fromarray(each) for each in colours]
        files = [png(each) for each in pictures]
        made = Product.objects.bulk_create(
            Product(photo=ContentFile(data, name="photo.png")) for data in files
        )
        digests = [sha256(data).hexdigest() for data in files]
        rows = space.embedder.embed(pictures)
        stored = [
            NewVector(str(product.pk), 0, product.photo.name, digest, row)
            for product, digest, row in zip(made, digests, rows, strict=True)
        ]
        vectors.store(space, stored)
    neighbours.rebuild(space)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum does within the minute
    assert states.count_states(space)["ready"] == count


def place_and_writer(space: SpaceDefinition) -> dict[str, set[tuple[str, str]]]:
    """Return where each row lies and which transaction wrote it, of vectors and of lists."""
    found = {}
    with connection.cursor() as cursor:
        for model in (space.embedding_model, space.list_model):
            table = model._meta.db_table
            cursor.execute(f"SELECT ctid::text, xmin::text FROM {table}")
            found[table] = set(cursor.fetchall())
    return found


class Killer:
    """Kills the worker's pool whenever so many photos are done, and all of it as lists change.

    ``in_hand``: how many photos they had claimed, each time. ``is_done``: all is well again.
    """

    def __init__(self, space: SpaceDefinition, crew: Crew, controls: Controls) -> None:
        self._space = space
        self._crew = crew
        self._controls = controls
        self._seen: set[tuple[int, int]] = set()
        self.in_hand: list[int] = []
        self.is_done = False

    def run(self, marks: list[int], *, enough_seen: Callable[[], bool]) -> None:
        """Kill at each mark, and once more as the new lists are written, seen often enough."""
        try:
            for mark in marks:
                assert wait_until(partial(self._is_amid, mark), SETTLED_SECONDS), mark
                self._kill(self._crew.kill_children)
            held = wait_until(lambda: self._controls.is_held("lists"), SETTLED_SECONDS)
            assert held, self._crew.said()
            wait_until(enough_seen, PATIENCE_SECONDS / 2)
            self._kill(self._crew.kill)
            self._controls.say("lists")
            assert wait_until(self._is_settled, SETTLED_SECONDS), self._crew.said()
        finally:
            self.is_done = True

    def _kill(self, kill: Callable[[], object]) -> None:
        kill()
        claimed = set(self._leased().values_list("id", "attempts"))
        self.in_hand.append(len(claimed - self._seen))
        self._seen |= claimed
        self._crew.ensure()

    def _is_amid(self, mark: int) -> bool:
        """Return whether so many are done and photos are in hand, none of which was before.

        The same photo in three kills would be given up as what kills its worker.
        """
        done = self._space.embedding_model.objects.filter(version=NEXT).count()
        claimed = set(self._leased().values_list("id", "attempts")) - self._seen
        return done >= mark and bool(claimed) and all(attempts == 1 for _id, attempts in claimed)

    def _leased(self) -> QuerySet[EmbeddingJob]:
        return EmbeddingJob.objects.filter(space=self._space.label, state="leased")

    def _is_settled(self) -> bool:
        served = Space.objects.get(label=self._space.label).served_version
        return served == NEXT and not jobs.open_jobs(self._space).exists()


def redone(notes: list[str]) -> Counter[str]:
    """Return how many photos each process embedded in vain: another one did so again."""
    last: dict[str, str] = {}
    in_vain: Counter[str] = Counter()
    for process, picture in map(str.split, notes):
        if picture in last:
            in_vain[last[picture]] += 1
        last[picture] = process
    return in_vain


@pytest.mark.parametrize(
    ("count", "kills", "imgrec"),
    [
        pytest.param(1_000, 3, {"batch_size": 16, "lease_seconds": 2}, id="1k"),
        pytest.param(10_000, 10, {}, id="10k", marks=pytest.mark.full),
    ],
)
@pytest.mark.timeout(900)
def test_a_killed_reindex_goes_on_where_it_was_and_switches_once(
    space: SpaceDefinition,
    controls: Controls,
    start_crew: Callable[..., Crew],
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    kills: int,
    imgrec: dict[str, int],
) -> None:
    fill(space, count)
    old = shown_of(space)
    monkeypatch.setattr(ColourGrid, "version", NEXT)
    controls.say("version", NEXT)
    controls.say("encoder", f"slow:{SECONDS_A_PHOTO}")
    controls.hold("lists", "writing")
    assert runs.start(space) == count
    crew = start_crew(**imgrec)
    shopper = Shopper(list(Product.objects.order_by("?")))
    killer = Killer(space, crew, controls)
    marks = [count * number // (kills + 1) for number in range(1, kills + 1)]
    with elsewhere(partial(shopper.open_pages, until=lambda: killer.is_done)):
        killer.run(marks, enough_seen=lambda: len(shopper.pages) >= PAGES)
    shopper.open_page()

    batch = imgrec.get("batch_size", settings.batch_size)
    *amid, at_the_switch = killer.in_hand
    assert len(amid) == kills
    assert all(0 < photos <= PROCESSES * batch for photos in amid)
    assert at_the_switch == 0
    in_vain = redone(controls.notes("embedded"))
    assert max(in_vain.values(), default=0) <= batch
    assert len(in_vain) <= PROCESSES * kills
    assert len(controls.notes("embedded")) == count + in_vain.total()
    assert states.count_states(space)["ready"] == count
    assert differences(space) == []

    new = shown_of(space)
    assert all(len(shown) == LIMIT for shown in [*old.values(), *new.values()])
    assert not any(old[key] == new[key] for key in old)
    versions = shopper.versions(old, new)
    assert len(versions) >= PAGES
    assert versions[0] == "old"
    assert set(versions) == {"old", "new"}
    assert versions == sorted(versions, reverse=True), "one switch"

    rows, notes = place_and_writer(space), controls.notes("embedded")
    assert runs.start(space) == count
    assert wait_until(lambda: not jobs.open_jobs(space).exists(), SETTLED_SECONDS), crew.said()
    assert controls.notes("embedded") == notes
    assert place_and_writer(space) == rows
    print(f"{len(versions)} pages; in hand {amid}; redone {sorted(in_vain.values())}")
