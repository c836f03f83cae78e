"""Whether work goes on: what waits and since when, and when anything was last brought forward.

A worker that runs is no proof: it may wait for weights, or hang. So health is progress. Waiting
alone is no fault either, for the last photo of a long reindex was queued with the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.db import router
from django.db.models import Count, F, Min
from django.db.models.functions import Now

from imgrec.conf import settings
from imgrec.guest import with_settings
from imgrec.jobs import paused
from imgrec.models import EmbeddingJob, Space, Tally
from imgrec.spaces import all_spaces

State = EmbeddingJob.State
WAITING = (State.QUEUED, State.LEASED, State.LISTS)
What = Tally.What
# Neither a look around nor an error brings anything forward.
IDLE = (What.SWEEPS, What.ERRORS)
# A probe that a lock keeps waiting would hold up a thread of the web server, and the next one too.
PATIENCE = "2s"


@dataclass(frozen=True)
class Health:
    """What one space is doing; seconds are by the database's clock, None where it never was."""

    label: str
    is_active: bool
    jobs: dict[str, int]  # by state, every state named
    waiting_because: dict[str, int]  # of the waiting ones, those something is in the way of
    failed_because: dict[str, int]
    oldest_waiting_seconds: float | None
    last_progress_seconds: float | None  # since a worker brought a photo or a list forward
    last_sweep_seconds: float | None
    done: dict[str, int]  # what workers ever did, by kind, every kind named

    def problems(self, *, after: float) -> list[str]:
        """Return what is wrong, in sentences; ``after``: seconds without progress."""
        return [each for each in (self.stalled(after=after), self._unseen(after)) if each]

    def stalled(self, *, after: float) -> str:
        """Return since when work waits that nobody does, or ``""``."""
        waits = self._is_long(self.oldest_waiting_seconds, after)
        if not (self.is_active and waits and self._is_idle(after)):
            return ""
        reasons = ", ".join(f"{n} {reason}" for reason, n in self.waiting_because.items())
        return (
            f"{self.label}: work has waited {_told(self.oldest_waiting_seconds)} and none was "
            f"done {_told(self.last_progress_seconds)}{reasons and f' ({reasons})'}"
        )

    def _unseen(self, after: float) -> str:
        """Return since when no worker came by: nobody would find what comes next."""
        after = max(after, 3 * settings.sweep_seconds)
        alone = self._is_long(self.last_sweep_seconds, after, never=True)
        if not (self.is_active and alone and self._is_idle(after)):
            return ""
        return f"{self.label}: no worker has looked around {_told(self.last_sweep_seconds)}"

    def _is_idle(self, after: float) -> bool:
        return self._is_long(self.last_progress_seconds, after, never=True)

    @staticmethod
    def _is_long(seconds: float | None, after: float, *, never: bool = False) -> bool:
        return never if seconds is None else seconds > after


def examine() -> list[Health]:
    """Return the health of every declared space: three SELECTs on imgrec's own tables.

    Raises ``django.db.DatabaseError`` when the database does not answer within two seconds.
    """
    using = router.db_for_write(EmbeddingJob)
    with with_settings(using, statement_timeout=PATIENCE):
        jobs, tallies = _jobs(using), _tallies(using)
        asleep = Space.objects.using(using).filter(is_active=False)
        inactive = set(asleep.values_list("label", flat=True))
    return [
        _health(each.label, jobs, tallies, is_active=each.label not in inactive)
        for each in all_spaces()
    ]


def report(*, after: float | None = None) -> dict[str, Any]:
    """Return the whole finding, ready for JSON: ``status`` is ``"ok"`` or ``"stalled"``.

    ``after``: seconds without progress, by default ``IMGREC["stalled_seconds"]``.
    """
    after = settings.stalled_seconds if after is None else after
    found = examine()
    problems = [problem for each in found for problem in each.problems(after=after)]
    return {
        "status": "stalled" if problems else "ok",
        "problems": problems,
        "spaces": [asdict(each) for each in found],
    }


def _health(
    label: str, jobs: list[dict[str, Any]], tallies: list[dict[str, Any]], *, is_active: bool
) -> Health:
    ours = [each for each in jobs if each["space"] == label]
    done = [each for each in tallies if each["space"] == label]
    waiting = [each for each in ours if each["state"] in WAITING]
    return Health(
        label=label,
        is_active=is_active,
        jobs={s.value: sum(e["n"] for e in ours if e["state"] == s) for s in State},
        waiting_because=_reasons(waiting),
        failed_because=_reasons(each for each in ours if each["state"] == State.FAILED),
        oldest_waiting_seconds=_seconds(
            max((e["age"] for e in waiting if e["age"] is not None), default=None)
        ),
        last_progress_seconds=_last(each for each in done if each["what"] not in IDLE),
        last_sweep_seconds=_last(each for each in done if each["what"] == What.SWEEPS),
        done={w.value: sum(e["total"] for e in done if e["what"] == w) for w in What},
    )


def _jobs(using: str) -> list[dict[str, Any]]:
    rows = EmbeddingJob.objects.using(using).order_by().values("space", "state", "reason")
    # a run that somebody paused does not wait
    oldest = Min("created_at", filter=~paused())
    found: Any = rows.annotate(n=Count("pk"), age=Now() - oldest)
    return list(found)


def _tallies(using: str) -> list[dict[str, Any]]:
    rows = Tally.objects.using(using).annotate(age=Now() - F("counted_at"))
    found: Any = rows.values("space", "what", "total", "age")
    return list(found)


def _reasons(jobs: Iterable[dict[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in jobs:
        if each["reason"]:
            found[each["reason"]] = found.get(each["reason"], 0) + each["n"]
    return found


def _last(tallies: Iterable[dict[str, Any]]) -> float | None:
    return _seconds(min((each["age"] for each in tallies), default=None))


def _seconds(age: timedelta | None) -> float | None:
    return None if age is None else round(max(0.0, age.total_seconds()), 1)


def _told(seconds: float | None) -> str:
    return "yet" if seconds is None else f"for {seconds:.0f} s"
