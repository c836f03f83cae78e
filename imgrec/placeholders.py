"""Pictures that stand for many products, such as "no image yet": they are left out.

One is known by its bytes, once more than ``placeholder_above`` items have it. Their vectors go,
their jobs stay with the state ``excluded``, and later photos of the same bytes are not even
decoded. Somebody may decide that it is a photo like any other.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import Now

from imgrec import adding, endings, jobs
from imgrec.claimed import Photo
from imgrec.conf import settings
from imgrec.logs import about
from imgrec.models import EmbeddingJob, Placeholder
from imgrec.spaces import SpaceDefinition

logger = logging.getLogger(__name__)

# Decided by somebody: after photos just saved, before a reindex.
PRIORITY = 5


def left_out(space: SpaceDefinition) -> frozenset[str]:
    """Return the digests of the files whose photos are excluded."""
    above = settings.placeholder_above
    if not above:
        return frozenset()
    rows = rows_of(space).filter(is_allowed=False, items__gt=above)
    return frozenset(rows.values_list("sha256", flat=True))


def rows_of(space: SpaceDefinition) -> QuerySet[Placeholder]:
    """Return the placeholders of a space, allowed ones as well."""
    return Placeholder.objects.using(space.using).filter(space=space.label)


def exclude(space: SpaceDefinition, photos: Collection[Photo]) -> None:
    """End the jobs of photos that show a placeholder; vectors of their older photos go."""
    if not photos:
        return
    with transaction.atomic(using=space.using):
        for photo in photos:
            jobs.exclude(space, photo.claim, sha256=photo.digest, source_name=photo.name)
            if endings.drop_vector(space, photo):
                jobs.mark_lists(space, [(photo.claim.object_pk, photo.item)])


def discover(space: SpaceDefinition, digests: Collection[str]) -> None:
    """Exclude those of these files that more items have than are allowed to.

    To be asked once their vectors are committed: of two workers that stored some each, the
    later one sees them all.
    """
    above = settings.placeholder_above
    if not above or not digests:
        return
    allowed = rows_of(space).filter(is_allowed=True).values_list("sha256", flat=True)
    same = space.embedding_model.objects.using(space.using).filter(
        sha256__in=set(digests) - set(allowed)
    )
    counted = same.order_by().values("sha256").annotate(n=Count(_item(space), distinct=True))
    for digest, items in counted.filter(n__gt=above).values_list("sha256", "n"):
        _leave_out(space, digest, items)


def _item(space: SpaceDefinition) -> str:
    return "item_pk" if space.item else "owner"


def _leave_out(space: SpaceDefinition, digest: str, items: int) -> None:
    """Take the vectors of this file away, with all that has to follow."""
    vectors = space.embedding_model.objects.using(space.using)
    with transaction.atomic(using=space.using):
        same = vectors.filter(sha256=digest).select_for_update().order_by("pk")
        gone = list(same.values_list("pk", _item(space), "source_name"))
        if not gone:
            return
        found = {"items": items, "source_name": gone[0][2]}
        rows_of(space).update_or_create(space=space.label, sha256=digest, defaults=found)
        vectors.filter(pk__in=[pk for pk, _item, _name in gone]).delete()
        _keep_excluded(space, digest, {str(pk): name for pk, _item, name in gone})
        jobs.mark_lists(space, [(str(pk), str(item)) for pk, item, _name in gone])
    logger.warning(
        "imgrec: %s: %s is the picture of %d items, and left out as a placeholder (%s)",
        *(space.label, found["source_name"], items, digest),
        extra=about(space),
    )


def _keep_excluded(space: SpaceDefinition, digest: str, names: dict[str, str]) -> None:
    """Note which photos are excluded; those with a job to be done will see for themselves."""
    ours = EmbeddingJob.objects.using(space.using).filter(space=space.label)
    undone = ours.filter(object_pk__in=list(names), state__in=jobs.OPEN)
    busy = set(undone.values_list("object_pk", flat=True))
    state = EmbeddingJob.State.EXCLUDED
    EmbeddingJob.objects.using(space.using).bulk_create(
        EmbeddingJob(space=space.label, object_pk=key, state=state, sha256=digest, source_name=name)
        for key, name in names.items()
        if key not in busy
    )


def found(space: SpaceDefinition) -> list[dict[str, Any]]:
    """Return each placeholder: sha256, source_name, photos excluded for it, allowed."""
    excluded = EmbeddingJob.objects.using(space.using).filter(
        space=space.label, state=EmbeddingJob.State.EXCLUDED
    )
    counted = excluded.order_by().values_list("sha256").annotate(n=Count("pk"))
    photos: dict[str, int] = dict(counted)
    rows = rows_of(space).order_by("-items", "sha256")
    return [
        {
            "sha256": row.sha256,
            "source_name": row.source_name,
            "photos": photos.get(row.sha256, 0),
            "allowed": row.is_allowed,
        }
        for row in rows
    ]


def allow(space: SpaceDefinition, row: Placeholder) -> int:
    """Use the picture like any other; return how many photos that queues."""
    with transaction.atomic(using=space.using):
        rows_of(space).filter(pk=row.pk).update(is_allowed=True)
        excluded = EmbeddingJob.objects.using(space.using).filter(
            space=space.label, state=EmbeddingJob.State.EXCLUDED, sha256=row.sha256
        )
        return excluded.update(state=EmbeddingJob.State.QUEUED, attempts=0, due_at=Now())


def forbid(space: SpaceDefinition, row: Placeholder) -> int:
    """Leave the picture out again; return how many photos that queues."""
    with transaction.atomic(using=space.using):
        rows_of(space).filter(pk=row.pk).update(is_allowed=False)
        same = space.embedding_model.objects.filter(sha256=row.sha256).values("owner")
        photos = space.model._base_manager.using(space.using).filter(pk__in=same)
        return adding.add_rows(space, photos, priority=PRIORITY)
