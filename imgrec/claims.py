"""Taking jobs from the queue, for the time of a lease."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import Q

from imgrec.conf import settings
from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition

State = EmbeddingJob.State


@dataclass(frozen=True)
class Claim:
    """A job this process holds until its lease ends; ``attempts`` tells its lease from others'."""

    id: int
    object_pk: str
    attempts: int
    source_name: str


# The rows to take are a materialized list of their own: as a subquery of the UPDATE the planner
# may run it once for each row, and with SKIP LOCKED that takes more rows than the limit.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM imgrec_embeddingjob
    WHERE space = %(space)s AND state IN ('queued', 'leased') AND due_at <= statement_timestamp()
        AND created_at IS DISTINCT FROM (
            SELECT run_started_at FROM imgrec_space
            WHERE label = %(space)s AND run_paused_at IS NOT NULL
        )
        AND {which}
    ORDER BY priority, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE imgrec_embeddingjob AS job SET state = 'leased', attempts = attempts + 1,
    due_at = statement_timestamp() + make_interval(secs => %(lease)s)
FROM due WHERE job.id = due.id
RETURNING job.id, object_pk, attempts, source_name
"""


def claim(space: SpaceDefinition) -> list[Claim]:
    """Take a batch of due jobs and commit the attempt before any picture is touched.

    Photos that were started before come one at a time: if one of them kills its worker,
    the others of its batch are done on their own. Past ``max_attempts`` they are given up.
    """
    return claim_fresh(space, settings.batch_size) or claim_retried(space)


def claim_fresh(space: SpaceDefinition, most: int) -> list[Claim]:
    """Take so many jobs at most, none of which was started before."""
    return _merged(space, _claim(space, "attempts = 0", most))


def claim_retried(space: SpaceDefinition) -> list[Claim]:
    """Take one job that was started before. Nothing else may be in hand with it."""
    return _merged(space, _claim(space, "attempts > 0", 1))


def _claim(space: SpaceDefinition, which: str, limit: int) -> list[Claim]:
    values: dict[str, Any] = {"space": space.label, "lease": settings.lease_seconds, "limit": limit}
    with connections[space.using].cursor() as cursor:
        cursor.execute(_CLAIM.format(which=which), values)
        return [Claim(*row) for row in sorted(cursor.fetchall())]


def _merged(space: SpaceDefinition, claims: list[Claim]) -> list[Claim]:
    """Keep the newest job of each photo; forget the older ones, failed ones too."""
    if not claims:
        return []
    newest = {each.object_pk: each for each in claims}  # claims are in the order of their ids
    kept = {each.id for each in newest.values()}
    ours = {each.id for each in claims}
    rows = EmbeddingJob.objects.using(space.using).filter(
        ~Q(state=State.LISTS), space=space.label, object_pk__in=list(newest)
    )
    older = [
        id
        for id, object_pk, state in rows.values_list("id", "object_pk", "state")
        if (id < newest[object_pk].id and (id in ours or state != State.LEASED))
        or state == State.EXCLUDED  # whichever is newer: this claim will tell
    ]
    if older:
        rows.filter(id__in=older).delete()
    return [each for each in claims if each.id in kept]
