"""The read use case: similar products, from the stored list if it suffices, else live."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.db import models
from django.db.models import QuerySet

from imgrec import live, photo_queries, ways
from imgrec.among import candidates
from imgrec.choice import Choice
from imgrec.conf import settings
from imgrec.guest import reading
from imgrec.matching import note_photos
from imgrec.pool import Search
from imgrec.queryset import seed_key
from imgrec.results import SimilarProducts
from imgrec.search_settings import pool_settings
from imgrec.seeds import of_seed, of_vector
from imgrec.served import decides_what_is_served, likely_served, remember_served, served_space
from imgrec.spaces import SpaceDefinition, all_spaces, space_by_label
from imgrec.stored import from_list
from imgrec.visibility import recommendable


def similar_products(
    seed: models.Model,
    *,
    limit: int = 8,
    among: QuerySet[Any] | None = None,
    min_similarity: float | None = None,
    space: SpaceDefinition | None = None,
) -> SimilarProducts:
    """Return at most ``limit`` products that look like ``seed``, the most similar first.

    Args:
        seed: a product. Hidden, unsaved or without a vector: the answer is empty.
        limit: how many; fewer come only when fewer are eligible.
        among: a queryset of products to choose from, e.g. of one brand.
        min_similarity: nothing less similar (0..1); default ``IMGREC["min_similarity"]``.
        space: search here rather than in the space that is served.

    Returns:
        A list of the shop's own instances, each with ``.similarity`` (0..1); with several
        photos a product also ``.matched_photo`` and ``.seed_photo``, the keys of the best pair,
        and ``.matched_image``, the file of the former.

    Raises:
        LookupError: the model has no ImageEmbeddingField.
        ValueError: ``limit``, ``among``, or ``seed`` in ``space``, cannot be used; the message
            says what can.
    """
    started = time.perf_counter()
    asked = _Asked(_checked(limit), among, _least(min_similarity), is_of_space=space is not None)
    chosen = space or likely_served(type(seed))
    key = seed_key(chosen, seed)
    rows = candidates(chosen, among)
    if key is None or limit == 0:
        return SimilarProducts()
    with reading(rows.db, **pool_settings(chosen)):
        found = asked.products_like(seed, chosen)
    ways.note(chosen.item_model, found, started)
    return found


def similar_to_photo(
    photo: BinaryIO | bytes,
    *,
    model: type[models.Model] | None = None,
    limit: int = 8,
    among: QuerySet[Any] | None = None,
    min_similarity: float | None = None,
) -> SimilarProducts:
    """Return products that look like a shopper's photo, embedded by a worker.

    Waits at most ``photo_wait_seconds``; reads at most ``max_upload_bytes`` + 1 bytes.

    Raises:
        PictureError: the photo cannot be used; ``code`` says why.
        PhotoSearchUnavailable: switched off, or no worker answered.
        LookupError: ``model`` (or ``among``) is needed to tell which products are meant.
    """
    started = time.perf_counter()
    if among is None:
        space = served_space(model or _only_model())
    else:
        space = served_space(model or among.model, among.db)
    rows = candidates(space, among)
    limit, least = _checked(limit), _least(min_similarity)
    data = photo if isinstance(photo, bytes) else photo.read(settings.max_upload_bytes + 1)
    vector = photo_queries.ask(space, data)
    search = Search(space, of_vector(vector), recommendable(space, rows), rows.db, is_given=True)
    with reading(rows.db, **pool_settings(space)):
        found = live.find(search, limit, least)
    ways.note(space.item_model, found, started)
    return found


@dataclass(frozen=True)
class _Asked:
    """What somebody asks for, apart from the seed."""

    limit: int
    among: QuerySet[Any] | None
    least: float
    is_of_space: bool  # which need not be the one served

    def products_like(self, seed: models.Model, space: SpaceDefinition) -> SimilarProducts:
        """Return products by the list, else by a live search."""
        choice = Choice(space, space.item_key(seed), self.among)
        found = self._listed(seed, choice)
        if found is not None:
            return found
        using, given = choice.using, self.is_of_space
        photos = of_seed(space, choice.key, using, shown=choice.shown)
        search = Search(space, photos, choice.rows, using, is_given=given)
        found = live.find(search, self.limit, self.least)
        served = space_by_label(found.space)
        if served is None or served.label == space.label:
            return found
        # Another space is served since this process last looked.
        remember_served(type(seed), served.label)
        return self.products_like(seed, served)

    def _listed(self, seed: models.Model, choice: Choice) -> SimilarProducts | None:
        served_only = not (self.is_of_space and decides_what_is_served(choice.space))
        found = from_list(choice, self.limit, self.least, served_only=served_only)
        if found:
            note_photos(found, seed, choice.using)
        return found


def _checked(limit: int) -> int:
    if limit < 0:
        raise ValueError(f"limit={limit}: 0 or more.")
    return limit


def _least(min_similarity: float | None) -> float:
    return settings.min_similarity if min_similarity is None else min_similarity


def _only_model() -> type[models.Model]:
    found = {space.item_model for space in all_spaces()}
    if len(found) != 1:
        names = ", ".join(sorted(model._meta.label for model in found)) or "none"
        raise LookupError(f"Say which products are meant: model=… (models with a field: {names}).")
    return found.pop()
