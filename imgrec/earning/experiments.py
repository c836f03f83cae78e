"""Which of two spaces or rule sets a list is of, while they are compared.

Drawn anew for each rendering, from nothing but chance: no cookie, and the same shopper may see
A now and B on the next page.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db import Error, models, router

from imgrec.earning.tables import Arm, Experiment
from imgrec.guest import LOCK_TIMEOUT_MS, reading
from imgrec.quiet import log_once
from imgrec.spaces import SpaceDefinition, space_by_label

# A process looks so often which experiments run: one small read, not one a page.
LOOK_SECONDS = 10.0

_running: list[Experiment] = []
_looked_at = float("-inf")
_lock = Lock()


@dataclass(frozen=True)
class Draw:
    """The arm a list is of. What an arm changes of a search is said here, and nowhere else."""

    experiment: int
    arm: str
    space: SpaceDefinition | None  # None: the one that is served
    rule_set: str

    @property
    def search(self) -> dict[str, Any]:
        """What :func:`imgrec.similar_products` takes beside what the page asked for."""
        return {"space": self.space, "rule_set": self.rule_set}


def draw(model: type[models.Model], placement: str) -> Draw | None:
    """Draw an arm of the experiment about these products and this place; None: there is none."""
    found = _about(model, placement)
    if found is None:
        return None
    arm = Arm.B if secrets.randbelow(100) < found.share_of_b else Arm.A
    space = None if found.is_of_rules else space_by_label(found.space_of(arm))
    return Draw(found.pk, str(arm.value), space, found.rules_of(arm))


def _about(model: type[models.Model], placement: str) -> Experiment | None:
    """Return the running experiment: of this place, else of all."""
    ours = [each for each in running() if _is_about(each, model)]
    here = [each for each in ours if each.placement == placement]
    return next(iter(here or [each for each in ours if not each.placement]), None)


def _is_about(experiment: Experiment, model: type[models.Model]) -> bool:
    spaces = [space_by_label(experiment.space_a), space_by_label(experiment.space_b)]
    return all(space is not None and issubclass(model, space.item_model) for space in spaces)


def running() -> list[Experiment]:
    """Return the experiments that run, as of a moment ago."""
    global _running, _looked_at
    with _lock:
        if time.monotonic() - _looked_at < LOOK_SECONDS:
            return _running
        _looked_at = time.monotonic()  # before: whoever fails does not try on every page
    _running = _read()
    return _running


def _read() -> list[Experiment]:
    using = router.db_for_read(Experiment)
    try:
        with reading(using, lock_timeout=LOCK_TIMEOUT_MS):
            return list(Experiment.objects.using(using).filter(ended_at=None).order_by("pk"))
    except Error as error:  # the list itself needs no experiment
        log_once(error, "", "imgrec: experiments are left out: %s")
        return []


def forget() -> None:
    """Look again at the next page."""
    global _running, _looked_at
    _running, _looked_at = [], float("-inf")
