"""One claimed batch of photos: read, decode, embed, store. Every job ends in one of

stored (its lists follow), unchanged (forgotten), removed (its lists follow), waiting, failed.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from PIL.Image import Image

from imgrec import jobs, vectors
from imgrec.conf import settings
from imgrec.errors import PictureError, WeightsUnavailable
from imgrec.images import KEPT_SIDE, open_picture
from imgrec.jobs import Claim
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition
from imgrec.vectors import NewVector

logger = logging.getLogger(__name__)

WEIGHTS_WAIT_SECONDS = 60
STORAGE_WAIT_SECONDS = 5


@dataclass(frozen=True)
class Photo:
    """A photo of the batch, as the database has it, and its picture once decoded."""

    claim: Claim
    name: str  # "" when the photo or its row is gone
    item: str  # key of the item it is of, "" when unknown
    stored: Any  # its vector's row (without the vector), or None
    digest: str = ""
    picture: Image | None = None


class Batch:
    """Takes the claimed jobs of one space to their ends."""

    def __init__(self, space: SpaceDefinition, claims: list[Claim]) -> None:
        self.space = space
        self.claims = claims
        self.embeddings = space.embedding_model.objects.using(space.using)
        self.lists: list[tuple[Claim, str]] = []  # jobs, and the item whose lists must follow
        self.unchanged: list[Claim] = []
        self.renewed_at = time.monotonic()

    def run(self) -> None:
        """Process the whole batch; one bad photo harms no other."""
        decoded = [photo for photo in map(self._look_at, self._photos()) if photo]
        if decoded:
            self._renew(0)
            self._embed_and_store(decoded)
        jobs.finish(self.space, self.unchanged)
        jobs.to_lists(self.space, self.lists)

    def _renew(self, after_seconds: float) -> None:
        """Start the lease anew: a slow storage is no reason for another worker to take over."""
        if time.monotonic() - self.renewed_at >= after_seconds:
            jobs.renew(self.space, self.claims)
            self.renewed_at = time.monotonic()

    def _photos(self) -> list[Photo]:
        to_key = self.space.model._meta.pk.to_python
        keys = [to_key(claim.object_pk) for claim in self.claims]
        rows = self._rows(keys)
        stored = self.embeddings.defer("vector").in_bulk(keys)
        newest = max((row.job_id for row in stored.values()), default=0)
        if newest > max(claim.id for claim in self.claims):
            jobs.raise_ids(self.space, newest)
        photos = []
        for claim, key in zip(self.claims, keys, strict=True):
            name, item = rows.get(key, ("", ""))
            item = item if self.space.item else claim.object_pk
            photos.append(Photo(claim, name, item, stored.get(key)))
        return photos

    def _rows(self, keys: list[Any]) -> dict[Any, tuple[str, str]]:
        """Return each row's photo and item; no instances, whose fields may do work of their own."""
        rows = self.space.model._base_manager.using(self.space.using).filter(pk__in=keys)
        columns = ["pk", self.space.source, self.space.item or "pk"]
        return {
            key: (str(name or ""), "" if item is None else str(item))
            for key, name, item in rows.values_list(*columns)
        }

    def _look_at(self, photo: Photo) -> Photo | None:
        """Return the photo decoded, or None when its job ended here."""
        self._renew(settings.lease_seconds / 3)
        if not photo.name:
            self._delete_vector(photo)
            self.lists.append((photo.claim, photo.item))
            return None
        if photo.claim.attempts > settings.max_attempts:
            self._fail(photo, Reason.WORKER_DIED, str(Reason.WORKER_DIED.advice))
            return None
        try:
            data = self._read(photo.name)
            digest = sha256(data).hexdigest()
            if self._is_known(photo, digest):
                self._keep(photo)
                return None
            picture = open_picture(data, short_side=KEPT_SIDE)
        except PictureError as error:
            self._refuse(photo, error)
            return None
        return replace(photo, digest=digest, picture=picture)

    def _read(self, name: str) -> bytes:
        """Read at most one byte more than allowed, from any storage."""
        try:
            with self.space.source_field.storage.open(name, "rb") as opened:
                return bytes(opened.read(settings.max_file_bytes + 1))
        except SoftTimeLimitExceeded:
            raise
        except FileNotFoundError as error:
            raise PictureError(Reason.FILE_MISSING) from error
        except Exception as error:  # broad: every storage has errors of its own
            detail = f"{type(error).__name__}: {error}"
            raise PictureError(Reason.STORAGE_ERROR, detail=detail) from error

    def _is_known(self, photo: Photo, digest: str) -> bool:
        stored = photo.stored
        version = self.space.embedder.version
        return bool(stored) and (stored.sha256, stored.version) == (digest, version)

    def _keep(self, photo: Photo) -> None:
        """Same bytes, same encoder: at most the name is new."""
        if photo.stored.source_name != photo.name:
            rows = self.embeddings.filter(pk=photo.stored.pk, job_id__lte=photo.claim.id)
            rows.update(source_name=photo.name)
        self.unchanged.append(photo.claim)

    def _refuse(self, photo: Photo, error: PictureError) -> None:
        """Wait for a storage that may come back; else fail with the reason."""
        attempts = photo.claim.attempts
        if error.code == Reason.STORAGE_ERROR and attempts < settings.max_attempts:
            seconds = STORAGE_WAIT_SECONDS * 2 ** (attempts - 1)
            jobs.wait(
                self.space, [photo.claim], seconds=seconds, reason=error.code, message=str(error)
            )
        else:
            self._fail(photo, error.code, str(error))

    def _fail(self, photo: Photo, reason: Reason, message: str) -> None:
        """Keep the job as failed, and let go of the vector of an older photo."""
        name, claim = photo.name, photo.claim
        logger.warning("imgrec: %s %s (%s): %s", self.space.label, claim.object_pk, name, message)
        with transaction.atomic(using=self.space.using):
            jobs.fail(self.space, claim, reason, message, source_name=name)
            if photo.stored and photo.stored.source_name != name:
                self._delete_vector(photo)
                jobs.mark_lists(self.space, [(claim.object_pk, photo.item)])

    def _delete_vector(self, photo: Photo) -> None:
        key = self.space.model._meta.pk.to_python(photo.claim.object_pk)
        self.embeddings.filter(pk=key, job_id__lte=photo.claim.id).delete()

    def _embed_and_store(self, photos: list[Photo]) -> None:
        try:
            rows = self._embed([photo.picture for photo in photos if photo.picture])
        except WeightsUnavailable as error:
            self._wait_for_weights(photos, str(error))
            return
        good = []
        for photo, row in zip(photos, rows, strict=True):
            if isinstance(row, Exception):
                self._fail(photo, Reason.EMBEDDER_FAILED, f"{type(row).__name__}: {row}")
            elif not np.isfinite(row).all() or not row.any():
                self._fail(photo, Reason.NO_FEATURES, str(Reason.NO_FEATURES.advice))
            else:
                good.append((photo, row))
        if good:
            self._store(good)

    def _embed(self, pictures: list[Image]) -> Any:
        """Embed a batch; when that fails, each picture alone, so that one harms no other."""
        embedder = self.space.embedder
        try:
            return embedder.embed(pictures)
        except (WeightsUnavailable, SoftTimeLimitExceeded):
            raise
        except Exception:  # broad: an encoder is anybody's code
            logger.exception("imgrec: %s failed on a batch, trying one by one", embedder.name)
        return [self._embed_alone(picture) for picture in pictures]

    def _embed_alone(self, picture: Image) -> Any:
        try:
            return self.space.embedder.embed([picture])[0]
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # noqa: BLE001 - as above, and it becomes the job's reason
            return error

    def _wait_for_weights(self, photos: list[Photo], message: str) -> None:
        """Nothing is wrong with the pictures: the jobs wait, with the ways out for all to see."""
        logger.error("imgrec: %s: %s", self.space.label, message)
        jobs.wait(
            self.space,
            [photo.claim for photo in photos],
            seconds=WEIGHTS_WAIT_SECONDS,
            reason=Reason.WEIGHTS_UNAVAILABLE,
            message=message,
            counts=False,
        )

    def _store(self, good: list[tuple[Photo, Any]]) -> None:
        """Commit the vectors together with the marks that their lists must follow."""
        new = [
            NewVector(photo.claim.object_pk, photo.claim.id, photo.name, photo.digest, row)
            for photo, row in good
        ]
        with transaction.atomic(using=self.space.using):
            kept = vectors.store(self.space, new)
            follow = [(p.claim, p.item) for p, _row in good if p.claim.object_pk in kept]
            jobs.to_lists(self.space, follow)
            # Refused: the photo was replaced meanwhile, and its own job or the sweep follows.
            refused = [p.claim for p, _row in good if p.claim.object_pk not in kept]
            jobs.finish(self.space, refused)
