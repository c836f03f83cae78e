"""The photos of claimed jobs, as the database has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from imgrec import jobs
from imgrec.claims import Claim
from imgrec.encoding import Inputs
from imgrec.spaces import SpaceDefinition


@dataclass(frozen=True)
class Photo:
    """A photo somebody claimed; what its file says once it was read."""

    claim: Claim
    name: str  # "" when the photo or its row is gone
    item: str  # key of the item it is of, "" when unknown
    stored: Any  # its vector's row (without the vector), or None
    digest: str = ""
    inputs: Inputs | None = None  # for the encoder; None where its bytes were decoded before

    def is_known(self, version: str) -> bool:
        """Return whether its vector is of the same bytes and of this version of the encoder."""
        stored = self.stored
        return bool(stored) and (stored.sha256, stored.version) == (self.digest, version)


def photos_of(space: SpaceDefinition, claims: list[Claim]) -> list[Photo]:
    """Return the photo of each job: two SELECTs, no instances of the shop's model."""
    to_key = space.model._meta.pk.to_python
    keys = [to_key(claim.object_pk) for claim in claims]
    rows = _rows(space, keys)
    embeddings = space.embedding_model.objects.using(space.using)
    stored = embeddings.defer("vector").in_bulk(keys)
    newest = max((row.job_id for row in stored.values()), default=0)
    if newest > max(claim.id for claim in claims):
        jobs.raise_ids(space, newest)
    photos = []
    for claim, key in zip(claims, keys, strict=True):
        name, item = rows.get(key, ("", ""))
        item = item if space.item else claim.object_pk
        photos.append(Photo(claim, name, item, stored.get(key)))
    return photos


def _rows(space: SpaceDefinition, keys: list[Any]) -> dict[Any, tuple[str, str]]:
    """Return each row's photo and item; no instances, whose fields may do work of their own."""
    rows = space.model._base_manager.using(space.using).filter(pk__in=keys)
    columns = ["pk", space.source, space.item or "pk"]
    return {
        key: (str(name or ""), "" if item is None else str(item))
        for key, name, item in rows.values_list(*columns)
    }
