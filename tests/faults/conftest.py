"""Workers that a test may sabotage, and the files by which it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
import redis
from pytest_django import Settings

from imgrec.spaces import SpaceDefinition, space_by_label
from tests.faults.controls import Controls
from tests.faults.crew import Crew


@pytest.fixture
def space() -> SpaceDefinition:
    """The ordinary shop's."""
    found = space_by_label("testapp.product.embedding")
    assert found is not None
    return found


@pytest.fixture
def controls(tmp_path: Path) -> Controls:
    """What the test tells its workers."""
    return Controls(tmp_path / "controls")


@pytest.fixture
def start_crew(
    environment: Callable[..., dict[str, str]],
    settings: Settings,
    controls: Controls,
    tmp_path: Path,
) -> Iterator[Callable[..., Crew]]:
    """A function that starts a worker; settings as for ``environment``."""
    crews: list[Crew] = []

    def start(*, mutant: str = "", dice: Random | None = None, **imgrec: object) -> Crew:
        world = environment(**imgrec)
        world |= {"IMGREC_FAULTS_CONTROLS": str(controls.folder), "IMGREC_FAULTS_MUTANT": mutant}
        folder = tmp_path / f"crew{len(crews)}"
        folder.mkdir()
        crews.append(Crew(world, folder, dice=dice))
        return crews[-1]

    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.flushdb()
    yield start
    for crew in crews:
        crew.stop()
