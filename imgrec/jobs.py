"""The queue of work not yet done: rows in the database; Celery and Redis only make it fast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import connections
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest, Now

from imgrec.claims import Claim
from imgrec.conf import settings
from imgrec.models import EmbeddingJob, Space
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition

State = EmbeddingJob.State
OPEN = (State.QUEUED, State.LEASED)
# Nothing is to be done about these until the photo changes or somebody asks for it.
ENDED = (State.FAILED, State.EXCLUDED)


def renew(space: SpaceDefinition, claims: Iterable[Claim]) -> None:
    """Start the lease anew, between the stages of a batch, for jobs not yet ended."""
    _held(space, claims).update(due_at=Now() + timedelta(seconds=settings.lease_seconds))


def finish(space: SpaceDefinition, claims: Iterable[Claim]) -> None:
    """Forget jobs that changed nothing."""
    _held(space, claims).delete()


_TO_LISTS = """
UPDATE imgrec_embeddingjob AS job
SET state = 'lists', item_pk = new.item_pk, reason = '', message = ''
FROM unnest(%s::bigint[], %s::int[], %s::text[]) AS new(id, attempts, item_pk)
WHERE job.id = new.id AND job.state = 'leased' AND job.attempts = new.attempts
RETURNING job.id
"""


def to_lists(space: SpaceDefinition, items: Sequence[tuple[Claim, str]]) -> None:
    """Mark these items' lists as not yet up to date, by the jobs that changed their photos.

    Where a lease has ended meanwhile the mark is a row of its own: whoever holds the job now
    finds the photo as we left it, and nothing to do.
    """
    if not items:
        return
    columns = zip(*((claim.id, claim.attempts, item) for claim, item in items), strict=True)
    with connections[space.using].cursor() as cursor:
        cursor.execute(_TO_LISTS, [list(column) for column in columns])
        marked = {id for (id,) in cursor.fetchall()}
    mark_lists(space, [(c.object_pk, item) for c, item in items if c.id not in marked])


def mark_lists(space: SpaceDefinition, items: Iterable[tuple[str, str]]) -> None:
    """Mark items' lists as not up to date, beside any job: (photo's key, item's key)."""
    EmbeddingJob.objects.using(space.using).bulk_create(
        EmbeddingJob(space=space.label, object_pk=object_pk, item_pk=item, state=State.LISTS)
        for object_pk, item in items
    )


def fail(
    space: SpaceDefinition,
    claim: Claim,
    reason: Reason,
    message: str = "",
    *,
    source_name: str = "",
) -> None:
    """Keep the job with its reason, until the photo changes or somebody retries."""
    _held(space, [claim]).update(
        state=State.FAILED,
        reason=reason,
        message=(message or str(reason.advice))[:2000],
        source_name=source_name or claim.source_name,
    )


def exclude(space: SpaceDefinition, claim: Claim, *, sha256: str, source_name: str) -> None:
    """Keep the job as that of a placeholder picture, until the photo changes or it is allowed."""
    _held(space, [claim]).update(
        state=State.EXCLUDED, sha256=sha256, source_name=source_name, reason="", message=""
    )


def wait(
    space: SpaceDefinition,
    claims: Iterable[Claim],
    *,
    seconds: float,
    reason: Reason,
    message: str,
    counts: bool = True,
) -> None:
    """Put jobs back for later, with what is in their way; ``counts``: as a failed attempt."""
    attempts = F("attempts") if counts else Greatest(F("attempts") - 1, 0)
    _held(space, claims).update(
        state=State.QUEUED,
        due_at=Now() + timedelta(seconds=seconds),
        attempts=attempts,
        reason=reason,
        message=message[:2000],
    )


def retry_failed(space: SpaceDefinition, object_pks: Iterable[Any] | None = None) -> int:
    """Queue failed jobs again; return how many."""
    failed = EmbeddingJob.objects.using(space.using).filter(space=space.label, state=State.FAILED)
    if object_pks is not None:
        failed = failed.filter(object_pk__in=[str(pk) for pk in object_pks])
    return failed.update(state=State.QUEUED, attempts=0, due_at=Now(), reason="", message="")


def is_due(space: SpaceDefinition) -> bool:
    """Return whether a claim would find something."""
    due = EmbeddingJob.objects.using(space.using).filter(
        ~paused(), space=space.label, state__in=OPEN, due_at__lte=Now()
    )
    return due.exists()


def paused() -> Exists:
    """Return the condition that a job is of a run that rests: all of these began with it."""
    resting = Space.objects.filter(
        label=OuterRef("space"), run_started_at=OuterRef("created_at"), run_paused_at__isnull=False
    )
    return Exists(resting)


def open_jobs(space: SpaceDefinition) -> QuerySet[EmbeddingJob]:
    """Return the jobs still to be done, lists included."""
    return EmbeddingJob.objects.using(space.using).filter(
        space=space.label, state__in=[*OPEN, State.LISTS]
    )


def hurry(space: SpaceDefinition) -> None:
    """Make everything due that waits for a later try, with its obstacle forgotten."""
    EmbeddingJob.objects.using(space.using).filter(space=space.label, state=State.QUEUED).update(
        due_at=Now(), reason="", message=""
    )


def raise_ids(space: SpaceDefinition, above: int) -> None:
    """Have new jobs count from above an id that vectors restored from elsewhere carry."""
    sequence = "pg_get_serial_sequence('imgrec_embeddingjob', 'id')"
    with connections[space.using].cursor() as cursor:
        cursor.execute(f"SELECT setval({sequence}, greatest(%s, nextval({sequence})))", [above])


def _held(space: SpaceDefinition, claims: Iterable[Claim]) -> QuerySet[EmbeddingJob]:
    """Return those of the jobs that are still ours: not those a later lease has taken over."""
    leases: dict[int, list[int]] = {}
    for each in claims:
        leases.setdefault(each.attempts, []).append(each.id)
    ours = Q(pk__in=[])
    for attempts, ids in leases.items():
        ours |= Q(id__in=ids, attempts=attempts)
    return EmbeddingJob.objects.using(space.using).filter(ours, state=State.LEASED)
