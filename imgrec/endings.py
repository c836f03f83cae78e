"""How a claimed job ends when no vector comes of it."""

from __future__ import annotations

import logging

from django.db import transaction

from imgrec import jobs, tallies
from imgrec.claimed import Photo
from imgrec.conf import settings
from imgrec.errors import PictureError
from imgrec.logs import about
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition
from imgrec.tallies import What

logger = logging.getLogger(__name__)

WEIGHTS_WAIT_SECONDS = 60
STORAGE_WAIT_SECONDS = 5


def keep(space: SpaceDefinition, photos: list[Photo]) -> None:
    """Same bytes, same encoder: at most the name is new."""
    for photo in photos:
        if photo.stored.source_name != photo.name:
            rows = space.embedding_model.objects.using(space.using)
            mine = rows.filter(pk=photo.stored.pk, job_id__lte=photo.claim.id)
            mine.update(source_name=photo.name)
    jobs.finish(space, [photo.claim for photo in photos])


def remove(space: SpaceDefinition, photos: list[Photo]) -> None:
    """The photo is gone: so is its vector, and the lists follow."""
    for photo in photos:
        drop_vector(space, photo)
    jobs.to_lists(space, [(photo.claim, photo.item) for photo in photos])


def refuse(space: SpaceDefinition, photo: Photo, error: PictureError) -> None:
    """Wait for a storage that may come back; else fail with the reason."""
    attempts = photo.claim.attempts
    if error.code == Reason.STORAGE_ERROR and attempts < settings.max_attempts:
        seconds = STORAGE_WAIT_SECONDS * 2 ** (attempts - 1)
        told = about(space, photo.claim, item=photo.item, reason=error.code)
        logger.info("imgrec: %s tried again in %d s: %s", photo.name, seconds, error, extra=told)
        jobs.wait(space, [photo.claim], seconds=seconds, reason=error.code, message=str(error))
    else:
        fail(space, photo, error.code, str(error))


def fail(space: SpaceDefinition, photo: Photo, reason: Reason, message: str) -> None:
    """Keep the job as failed, and let go of the vector of an older photo."""
    name, claim = photo.name, photo.claim
    told = about(space, claim, item=photo.item, reason=reason)
    logger.warning(
        "imgrec: %s %s (%s): %s", space.label, claim.object_pk, name, message, extra=told
    )
    with transaction.atomic(using=space.using):
        jobs.fail(space, claim, reason, message, source_name=name)
        if drop_vector(space, photo, but_of=name):
            jobs.mark_lists(space, [(claim.object_pk, photo.item)])
    tallies.add(space, What.FAILED, 1)


def wait_for_weights(space: SpaceDefinition, photos: list[Photo], message: str) -> None:
    """Nothing is wrong with the pictures: the jobs wait, with the ways out for all to see."""
    told = about(space, reason=Reason.WEIGHTS_UNAVAILABLE)
    logger.error("imgrec: %s: %s", space.label, message, extra=told)
    jobs.wait(
        space,
        [photo.claim for photo in photos],
        seconds=WEIGHTS_WAIT_SECONDS,
        reason=Reason.WEIGHTS_UNAVAILABLE,
        message=message,
        counts=False,
    )


def drop_vector(space: SpaceDefinition, photo: Photo, *, but_of: str | None = None) -> bool:
    """Delete the photo's vector, unless it is newer, or of this file; return whether it did."""
    key = space.model._meta.pk.to_python(photo.claim.object_pk)
    rows = space.embedding_model.objects.using(space.using)
    rows = rows.filter(pk=key, job_id__lte=photo.claim.id)
    if but_of is not None:
        rows = rows.exclude(source_name=but_of)
    deleted, _each = rows.delete()
    return bool(deleted)
