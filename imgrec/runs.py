"""A reindex: every photo of a space queued at once, and how far that has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connections, transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from imgrec import adding, space_rows
from imgrec.errors import ImgrecError
from imgrec.jobs import OPEN, State
from imgrec.models import EmbeddingJob, Space
from imgrec.poke import poke
from imgrec.spaces import SpaceDefinition
from imgrec.sweep import with_photo
from imgrec.watching import Watch, is_silent, look

# Saved photos overtake what a merchant selected, and that overtakes a whole catalogue.
SELECTED_PRIORITY = 5
RUN_PRIORITY = 10


class RunRefused(ImgrecError):
    """A reindex cannot start now: ``code`` is ``"running"`` or ``"inactive"``.

    Nor can one be paused or cancelled where there is none, which is ``"idle"``.
    """

    SENTENCES = {
        "running": _("A reindex of this space is already running."),
        "inactive": _("This space is switched off: switch it on before reindexing it."),
        "idle": _("No reindex of this space is running."),
    }

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return str(self.SENTENCES[self.code])


@dataclass(frozen=True)
class Progress:
    """How far a space's last reindex is, in photos.

    ``total`` and ``done`` are the run's, failed ones included; ``waiting`` counts every photo
    of the space still to do and ``lists`` what waits for its list, whoever asked for it.
    """

    total: int
    done: int
    failed: int
    lists: int
    waiting: int
    running: bool
    stalled: bool  # photos wait and nothing moves: there may be no worker
    rate_per_second: float | None
    seconds_left: float | None
    started_at: datetime | None
    paused_at: datetime | None
    obstacle: str  # what is in the way of the waiting photos, a sentence, or ""
    watch: Watch

    @property
    def percent(self) -> int:
        """Whole percents; 100 only when every photo is done."""
        return 100 * self.done // self.total if self.total else 100


def start(space: SpaceDefinition, pks: Iterable[Any] | None = None) -> int:
    """Queue every photo of the space, or these, as its one run; return how many.

    Raises:
        RunRefused: one is running, or the space is switched off.
    """
    with transaction.atomic(using=space.using):
        row = _locked(space)
        refused = _refusal(space, row)
        if refused:
            raise refused
        rows = with_photo(space)
        if pks is not None:
            rows = rows.filter(pk__in=list(pks))
        row.run_started_at = _clock(space)
        row.run_total = queue(space, rows, priority=RUN_PRIORITY, created_at=row.run_started_at)
        row.run_paused_at = None
        row.save(using=space.using, update_fields=["run_started_at", "run_total", "run_paused_at"])
    return row.run_total


def pause(space: SpaceDefinition) -> None:
    """Have workers leave the run's queued photos alone; what they are at they bring to its end.

    Raises:
        RunRefused: none is running.
    """
    with transaction.atomic(using=space.using):
        row = _running(space)
        row.run_paused_at = _clock(space)
        row.save(using=space.using, update_fields=["run_paused_at"])


def resume(space: SpaceDefinition) -> None:
    """Go on with a paused run; nothing happens to one that is not."""
    Space.objects.using(space.using).filter(label=space.label).update(run_paused_at=None)
    poke_once_committed(space)


def cancel(space: SpaceDefinition) -> int:
    """Take the run's queued photos from the queue; return how many.

    They keep the vectors they have. Those without one, or with one of another encoder, the next
    sweep finds: it makes good what is missing, whoever cancelled what.

    Raises:
        RunRefused: none is running.
    """
    with transaction.atomic(using=space.using):
        row = _running(space)
        queued = _left(space, row.run_started_at).filter(state=State.QUEUED)
        gone, _each = queued.delete()
        row.run_total = max(0, row.run_total - gone)
        row.run_paused_at = None
        row.save(using=space.using, update_fields=["run_total", "run_paused_at"])
    return gone


def _running(space: SpaceDefinition) -> Space:
    """Return the space's row, locked."""
    row = _locked(space)
    if not _left(space, row.run_started_at).exists():
        raise RunRefused("idle")
    return row


def refusal(space: SpaceDefinition) -> RunRefused | None:
    """Return why a reindex cannot start now, or None."""
    row = Space.objects.using(space.using).filter(label=space.label).first()
    return _refusal(space, row) if row else None


def _refusal(space: SpaceDefinition, row: Space) -> RunRefused | None:
    if not row.is_active:
        return RunRefused("inactive")
    return RunRefused("running") if _left(space, row.run_started_at).exists() else None


def queue(
    space: SpaceDefinition,
    rows: QuerySet[Any],
    *,
    priority: int = SELECTED_PRIORITY,
    created_at: datetime | None = None,
) -> int:
    """Queue rows that own photos, and tell a worker once that is committed; return how many."""
    made = adding.add_rows(space, rows, priority=priority, created_at=created_at)
    poke_once_committed(space)
    return made


def poke_once_committed(space: SpaceDefinition) -> None:
    """Tell a worker, once what was queued can be seen."""
    transaction.on_commit(partial(poke, "imgrec.embed_pending"), using=space.using)


def progress(space: SpaceDefinition, *, watch: Watch | None = None) -> Progress:
    """Return how far the space's last run is. Two or three SELECTs, none on the shop's tables.

    Args:
        watch: ``.watch`` of the answer before. With it the rate is that of the time watched,
            and a standstill is noticed; without, only that of a run that never began.
    """
    rows = Space.objects.using(space.using).filter(label=space.label).annotate(now=Now())
    found = rows.values_list("run_started_at", "run_total", "run_paused_at", "now").first()
    started_at, total, paused_at, moment = found or (None, 0, None, _clock(space))
    counted = _count(space, started_at)
    running, now = bool(counted["undone"]), moment.timestamp()
    began = started_at.timestamp() if started_at else now
    done = total - min(total, counted["open"])
    waiting = counted["open"] if running else counted["waiting"]
    seen = look(watch, now=now, done=done, waiting=waiting)
    since = seen.moved_at if watch or done else began
    paused_at = paused_at if running else None
    rate = _rate(now, began, done, watch) if running and not paused_at else None
    return Progress(
        total=total,
        done=done,
        failed=counted["failed"],
        lists=counted["lists"],
        waiting=counted["waiting"],
        running=running,
        stalled=bool(waiting) and not (paused_at or counted["leased"]) and is_silent(since, now),
        rate_per_second=rate,
        seconds_left=counted["open"] / rate if rate else None,
        started_at=started_at,
        paused_at=paused_at,
        obstacle=_obstacle(space) if counted["waiting"] else "",
        watch=seen,
    )


def _rate(now: float, began: float, done: int, watch: Watch | None) -> float | None:
    """Return photos per second: lately if somebody watches, else since the start."""
    lately = watch.rate(now, done) if watch else None
    if lately is not None:
        return lately
    return done / (now - began) if done and now > began else None


def _left(space: SpaceDefinition, started_at: datetime | None) -> QuerySet[EmbeddingJob]:
    """Return what is still to do of a run: its jobs were all created as it started."""
    jobs = EmbeddingJob.objects.using(space.using).filter(space=space.label)
    if started_at is None:
        return jobs.none()
    return jobs.filter(state__in=[*OPEN, State.LISTS], created_at=started_at)


def _count(space: SpaceDefinition, started_at: datetime | None) -> dict[str, int]:
    ours = Q(created_at=started_at) if started_at else Q(created_at__isnull=True)
    waiting, lists = Q(state__in=OPEN), Q(state=State.LISTS)
    jobs = EmbeddingJob.objects.using(space.using).filter(space=space.label)
    return jobs.aggregate(
        open=Count("pk", filter=ours & waiting),
        undone=Count("pk", filter=ours & (waiting | lists)),
        failed=Count("pk", filter=ours & Q(state=State.FAILED)),
        lists=Count("pk", filter=lists),
        waiting=Count("pk", filter=waiting),
        leased=Count("pk", filter=Q(state=State.LEASED, due_at__gt=Now())),
    )


def _obstacle(space: SpaceDefinition) -> str:
    jobs = EmbeddingJob.objects.using(space.using).filter(space=space.label, state=State.QUEUED)
    return jobs.exclude(message="").values_list("message", flat=True).first() or ""


def _locked(space: SpaceDefinition) -> Space:
    rows = Space.objects.using(space.using).select_for_update().filter(label=space.label)
    row = rows.first()
    if row is None:
        space_rows.sync()
        row = rows.get()
    return row


def _clock(space: SpaceDefinition) -> datetime:
    with connections[space.using].cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment
