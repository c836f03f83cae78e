"""What a small shop may rely on: at every moment, and once all work is done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from django.core.files.storage import default_storage
from django.db.models import Q
from PIL import Image

from imgrec import placeholders, similar_products, states
from imgrec.models import EmbeddingJob
from imgrec.reasons import Reason
from tests.brute_force import differences
from tests.faults.promises import SAME
from tests.faults.small_shop import SmallShop, kind_of
from tests.testapp.models import Product

ENDED = {"ready", "failed", "excluded", "no_photo"}
LIMIT = 100
# As slow a question as all others together.
STATES_EVERY = 4
SEEDS = 2
WHY = {"broken": Reason.NOT_AN_IMAGE, "missing": Reason.FILE_MISSING}


class Keeper:
    """Looks at a shop after each thing that happens to it; every method says what is wrong."""

    def __init__(self, shop: SmallShop) -> None:
        self.shop = shop
        self._stored: dict[Any, Any] = {}  # when each product's vector was stored

    def at_any_moment(self, place: int) -> list[str]:
        """Look at all vectors and states, and ask about the product at that place."""
        rows = list(self.shop.rows)
        found = [*self._vectors(rows), *self._answers(rows, place)]
        return found if place % STATES_EVERY else [*found, *self._states(rows)]

    def once_settled(self, *, refill_below: int) -> list[str]:
        return [
            *(f"still to do: {job}" for job in EmbeddingJob.objects.exclude(state__in=ENDED)),
            *self._states(list(self.shop.rows)),
            *self._ends(),
            *self._all_answers(),
            *differences(self.shop.space, at_least=refill_below),
        ]

    def _vectors(self, rows: list[Product]) -> Iterator[str]:
        """One of an old photo may still be there, but none is stored."""
        photos = {row.pk: str(row.photo or "") for row in rows}
        before, self._stored = self._stored, {}
        for vector in self.shop.space.embedding_model.objects.defer("vector"):
            self._stored[vector.pk] = vector.embedded_at
            is_new = before.get(vector.pk) != vector.embedded_at
            if is_new and photos.get(vector.pk) != vector.source_name:
                yield f"{vector.pk}: the vector of an old photo, {vector.source_name}, was stored"
            if self.shop.digests[vector.source_name] != vector.sha256:
                yield f"{vector.pk}: the vector of another file than {vector.source_name}"

    def _states(self, rows: list[Product]) -> Iterator[str]:
        counted = states.count_states(self.shop.space)
        if sum(counted.values()) != len(rows):
            yield f"{counted} of {len(rows)} products"
        silent = Q(reason="") | Q(message="")
        if EmbeddingJob.objects.filter(silent, state="failed").exists():
            yield "one failed, and nobody knows why"

    def _answers(self, rows: list[Product], place: int) -> Iterator[str]:
        """Ask about one that is there, or about one that is there no more."""
        seed = [*rows, *self.shop.gone][place % len(rows + self.shop.gone)] if rows else None
        if seed is None:
            return
        shown = {each.pk for each in similar_products(seed, limit=LIMIT)}
        if shown and not any(row.published for row in rows if row == seed):
            yield f"{seed.pk} is hidden or gone, and has an answer: {shown}"
        may_be_shown = {row.pk for row in rows if row.published and row.stock} - {seed.pk}
        if wrong := shown - may_be_shown:
            yield f"{wrong} shown beside {seed.pk}"

    def _ends(self) -> Iterator[str]:
        """Each product came to the end that its photo deserves."""
        space = self.shop.space
        stored = {row.pk: row for row in space.embedding_model.objects.all()}
        left_out = placeholders.left_out(space)
        jobs = {job.object_pk: job for job in EmbeddingJob.objects.all()}
        for row in states.annotate_state(self.shop.rows, space):
            job, vector = jobs.pop(str(row.pk), None), stored.pop(row.pk, None)
            name, state, reason = str(row.photo or ""), row.imgrec_state, row.imgrec_state_reason
            if (vector is not None) != (state == "ready") or state not in ENDED:
                yield f"{row.pk}: {state}, with {vector}"
            if state == "ready" and (vector.source_name != name or self._is_wrong(vector)):
                yield f"{row.pk}: ready, with the vector of {vector.source_name}, not of {name}"
            if state == "excluded" and self.shop.digests[name] not in left_out | {job.sha256}:
                yield f"{row.pk}: excluded, but {name} is no placeholder"
            if state == "failed" and reason not in (Reason.WORKER_DIED, WHY.get(kind_of(name))):
                yield f"{row.pk}: {name} failed with {reason}"
            if state == "ready" and kind_of(name) in WHY:
                yield f"{row.pk}: {name} is ready"
        yield from (f"{key}: a vector of no product" for key in stored)
        yield from (f"{key}: a job of no product" for key in jobs)

    def _is_wrong(self, vector: Any) -> bool:
        with default_storage.open(vector.source_name) as file, Image.open(file) as picture:
            (truth,) = self.shop.space.embedder.embed([picture.convert("RGB")])
        return float(np.abs(np.asarray(vector.vector) - truth).max()) > SAME

    def _all_answers(self) -> Iterator[str]:
        embedded = self.shop.space.embedding_model.objects.values("owner")
        rows = Product.objects.filter(pk__in=embedded)
        shown = set(rows.filter(published=True, stock__gt=0).values_list("pk", flat=True))
        for seed in rows.filter(published=True)[:SEEDS]:
            found = [each.pk for each in similar_products(seed, limit=LIMIT)]
            if sorted(found) != sorted(shown - {seed.pk}):
                yield f"beside {seed.pk} {found}, not {shown - {seed.pk}}"
