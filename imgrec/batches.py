"""One claimed batch of photos: read, decode, embed, store. Every job ends in one of

stored (its lists follow), unchanged (forgotten), removed (its lists follow), waiting, failed,
excluded.

``start`` has threads read and decode the photos, ``finish`` does the rest: between the two
another batch can be embedded. Only the thread that calls them asks the database.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from django.db import transaction

from imgrec import endings, jobs, placeholders, tallies, vectors
from imgrec.ahead import Pending, Readers
from imgrec.claimed import Photo, photos_of
from imgrec.claims import Claim
from imgrec.conf import settings
from imgrec.encoding import Inputs
from imgrec.errors import PictureError, WeightsUnavailable
from imgrec.forward import embed_each
from imgrec.leases import Leases
from imgrec.logs import about
from imgrec.looking import look
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition
from imgrec.tallies import What
from imgrec.topk import Matrix
from imgrec.vectors import NewVector
from imgrec.watchdog import PATIENCE_LEASES, watched

logger = logging.getLogger(__name__)

# While nothing else is to be done but to wait for a storage, somebody looks around this often.
TICK_SECONDS = 0.2


class Batch:
    """Takes the claimed jobs of one space to their ends; one bad photo harms no other."""

    def __init__(
        self,
        space: SpaceDefinition,
        claims: list[Claim],
        *,
        readers: Readers | None = None,
        leases: Leases | None = None,
        spared: set[str] | None = None,
    ) -> None:
        self.space = space
        self.version = space.embedder.version
        self.claims = claims
        self.readers = readers or Readers(0)
        self.leases = leases or Leases(space)
        self.leases.hold(claims)
        self.spared: set[str] = set() if spared is None else spared
        self.moved_at = time.monotonic()
        self.gone: list[Photo] = []
        self.given_up: list[Photo] = []
        self.looking: list[tuple[Photo, Pending[Photo]]] = []

    def run(self) -> None:
        """Do all of it, one after the other."""
        self.start()
        self.finish()

    def start(self) -> None:
        """Have the photos read and decoded."""
        for photo in photos_of(self.space, self.claims):
            self._tell_if_again(photo)
            if not photo.name:
                self.gone.append(photo)
            elif photo.claim.attempts > settings.max_attempts:
                self.given_up.append(photo)
            else:
                work = partial(look, self.space, photo, self.spared)
                self.looking.append((photo, self.readers.start(work)))

    def _tell_if_again(self, photo: Photo) -> None:
        """Leave a trace of photos whose worker died, or that waited for a storage."""
        if photo.claim.attempts > 1:
            told = about(self.space, photo.claim, item=photo.item)
            text = "imgrec: %s is started for the %d. time"
            logger.info(text, photo.name, photo.claim.attempts, extra=told)

    def finish(self, *, meanwhile: Callable[[], object] = bool) -> None:
        """Wait for the photos, embed and store them; ``meanwhile`` is called now and then."""
        endings.remove(self.space, self.gone)
        for photo in self.given_up:
            endings.fail(self.space, photo, Reason.WORKER_DIED, str(Reason.WORKER_DIED.advice))
        seen = self._seen(meanwhile)
        known = [photo for photo in seen if photo.is_known(self.version)]
        endings.keep(self.space, known)
        tallies.add(self.space, What.REMOVED, len(self.gone))
        tallies.add(self.space, What.UNCHANGED, len(known))
        stored = self._embed([photo for photo in seen if not photo.is_known(self.version)])
        placeholders.discover(self.space, {photo.digest for photo in [*known, *stored]})
        self.leases.let_go(self.claims)
        tallies.flush()

    def _seen(self, meanwhile: Callable[[], object]) -> list[Photo]:
        """Return the photos once they are decoded, without those whose job ended here."""
        self.moved_at = time.monotonic()
        found = [self._wait(photo, pending, meanwhile) for photo, pending in self.looking]
        self.looking = []
        seen = [photo for photo in found if photo]
        left_out = placeholders.left_out(self.space)
        excluded = [photo for photo in seen if photo.digest in left_out]
        placeholders.exclude(self.space, excluded)
        tallies.add(self.space, What.EXCLUDED, len(excluded))
        return [photo for photo in seen if photo.digest not in left_out]

    def _wait(
        self, photo: Photo, pending: Pending[Photo], meanwhile: Callable[[], object] = bool
    ) -> Photo | None:
        self.leases.renew()
        try:
            while not self._is_done(pending):
                self.leases.renew()
                self._raise_when_stuck()
                meanwhile()
            return pending.result()
        except PictureError as error:
            endings.refuse(self.space, photo, error)
            return None
        except WeightsUnavailable as error:  # needed to prepare the picture
            endings.wait_for_weights(self.space, [photo], str(error))
            return None
        finally:
            self.moved_at = max(self.moved_at, pending.done_at)

    def _is_done(self, pending: Pending[Photo]) -> bool:
        if pending.wait(0):
            return True
        with watched():  # a decoder may hang in a thread and keep this one waiting, too
            return self.readers.wait(pending, TICK_SECONDS)

    def _raise_when_stuck(self) -> None:
        """Give up a storage that hangs; its threads are left behind."""
        patience = settings.lease_seconds * PATIENCE_LEASES
        if time.monotonic() - self.moved_at >= patience:
            self.readers.is_stuck = True
            raise PictureError(Reason.STORAGE_ERROR, detail=f"nothing for {patience} s")

    def _embed(self, photos: list[Photo]) -> list[Photo]:
        """Embed and store; return the photos that have a vector now."""
        if not photos:
            return []
        self.leases.renew()
        try:
            rows = self._rows(photos)
        except WeightsUnavailable as error:
            endings.wait_for_weights(self.space, photos, str(error))
            return []
        good = [(photo, row) for photo, row in rows if self._is_good(photo, row)]
        if good:
            self._store(good)
        return [photo for photo, _row in good]

    def _rows(self, photos: list[Photo]) -> list[tuple[Photo, Any]]:
        """Return a row a photo: the same bytes are embedded once, whoever's they are."""
        rows: dict[str, Any] = {}
        rows.update(vectors.by_digest(self.space, {photo.digest for photo in photos}))
        photos, inputs = self._inputs(photos, rows)
        if inputs:
            found = embed_each(self.space.embedder, list(inputs.values()))
            rows.update(zip(inputs, found, strict=True))
        return [(photo, rows[photo.digest]) for photo in photos]

    def _inputs(
        self, photos: list[Photo], rows: dict[str, Any]
    ) -> tuple[list[Photo], dict[str, Inputs]]:
        """Return the photos that can be had, and what is to be embedded by its digest."""
        inputs = {p.digest: p.inputs for p in photos if p.inputs is not None}
        left = []
        for photo in photos:
            if photo.digest in rows or photo.digest in inputs:
                left.append(photo)
                continue
            # spared for another photo's sake, which came to nothing
            again = self._wait(photo, self.readers.start(partial(look, self.space, photo)))
            if again and again.inputs is not None:
                inputs[again.digest] = again.inputs
                left.append(again)
        return left, {digest: each for digest, each in inputs.items() if digest not in rows}

    def _is_good(self, photo: Photo, row: Any) -> bool:
        """Return whether there is a vector; else the job has failed."""
        if isinstance(row, Exception):
            message = f"{type(row).__name__}: {row}"
            endings.fail(self.space, photo, Reason.EMBEDDER_FAILED, message)
            return False
        if not np.isfinite(row).all() or not row.any():
            advice = str(Reason.NO_FEATURES.advice)
            endings.fail(self.space, photo, Reason.NO_FEATURES, advice)
            return False
        return True

    def _store(self, good: list[tuple[Photo, Matrix]]) -> None:
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
        tallies.add(self.space, What.EMBEDDED, len(follow))
        for photo, _row in good:
            told = about(self.space, photo.claim, item=photo.item)
            logger.debug("imgrec: %s is embedded", photo.name, extra=told)
