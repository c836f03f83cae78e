"""Saves, deletes, reindexes, messages and killed workers in any order: nothing is ever wrong.

Another seed each time; IMGREC_FAULTS_SEED plays one again, and a failure comes with the steps.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed
from hypothesis import settings as examples
from hypothesis.stateful import run_state_machine_as_test
from pytest_django import Settings

from imgrec import indexing, jobs, receivers, runs, space_rows, sweep, tallies, tasks, vectors
from imgrec.catalogue_map import making
from imgrec.spaces import SpaceDefinition
from tests.faults.fuse import killed_after
from tests.faults.machine import SETTINGS, Machine
from tests.faults.mutants import without_compare_and_set
from tests.faults.seeding import SEED
from tests.testapp.models import Product

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

STEPS = 8


@pytest.fixture
def play(
    space: SpaceDefinition,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Callable[..., None]:
    """A function that plays so many examples, in a shop where nothing depends on the clock."""
    caplog.set_level("ERROR", "imgrec")  # of a thousand broken photos nobody wants to read
    settings.IMGREC = {**settings.IMGREC, **SETTINGS}
    post: list[str] = []
    for room in (receivers, runs):
        monkeypatch.setattr(room, "poke", post.append)
    monkeypatch.setattr(tasks, "_send", post.append)
    monkeypatch.setattr(tallies, "FLUSH_SECONDS", float("inf"))
    for room in (indexing, making, sweep, space_rows):
        monkeypatch.setattr(room, "all_spaces", lambda: [space])

    def play(count: int, **options: Any) -> None:
        checks = list(HealthCheck)
        options = {"max_examples": count, "stateful_step_count": STEPS, **options}
        options |= {"deadline": None, "database": None, "suppress_health_check": checks}

        def machine() -> Machine:
            return Machine(space, post)

        run_state_machine_as_test(seed(SEED)(machine), settings=examples(**options))

    return play


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("count", [200, pytest.param(2_000, marks=pytest.mark.full)])
def test_nothing_is_ever_wrong(play: Callable[..., None], count: int) -> None:
    play(count, print_blob=True)


def without_marks() -> None:
    """Store vectors, and never tell the lists."""
    jobs.to_lists = lambda space, items: jobs.finish(space, [claim for claim, _item in items])


@pytest.mark.parametrize(
    ("mutant", "room", "name", "sign"),
    [
        (without_compare_and_set, vectors, "_STORE", "of an old photo"),
        (without_marks, jobs, "to_lists", "no list of|similarities|only|unknown in"),
    ],
)
def test_what_is_taken_away_is_noticed(
    play: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    mutant: Callable[[], None],
    room: object,
    name: str,
    sign: str,
) -> None:
    monkeypatch.setattr(room, name, getattr(room, name))  # taken back after the test
    mutant()
    with pytest.raises(AssertionError, match=sign):
        play(2_000, phases=[Phase.generate])


def test_a_kill_leaves_no_cursor_open(recwarn: pytest.WarningsRecorder) -> None:
    """psycopg warns of one."""
    with killed_after(0):
        list(Product.objects.iterator())
    gc.collect()
    assert recwarn.list == []
