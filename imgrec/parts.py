"""More like this part: the mean of some cells of a catalogue photo is the query."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import QuerySet

from imgrec import live, photo_queries, ways
from imgrec.among import candidates
from imgrec.boxes import Box, weights
from imgrec.guest import reading
from imgrec.mapping import query_of
from imgrec.pool import Search
from imgrec.queryset import seed_key
from imgrec.results import SimilarProducts
from imgrec.search_settings import pool_settings
from imgrec.seeds import of_vector
from imgrec.seen_photos import SeenPhoto, seen_photos
from imgrec.served import served_space
from imgrec.similar import Part
from imgrec.spaces import SpaceDefinition
from imgrec.steering import unblocked
from imgrec.topk import Matrix
from imgrec.visibility import item_path, recommendable
from imgrec.wishes import Wish


def similar_to_part(
    product: models.Model,
    part: Part,
    *,
    photo: Any = None,
    limit: int = 8,
    among: QuerySet[Any] | None = None,
    min_similarity: float | None = None,
    space: SpaceDefinition | None = None,
) -> SimilarProducts:
    """Return products that look like a part of a product's photo, the most similar first.

    Of a merchant's rules, the blocks that hold beside the product do here, too.
    When the photo's map is kept in Redis nothing is computed but a mean; else a worker makes it,
    and the page waits at most ``photo_wait_seconds``.

    Args:
        product: hidden, unsaved or without a vector: the answer is empty.
        part: ``(left, top, width, height)`` as shares of the photo's sides, upright and whole.
        photo: of several photos the key of the one meant; default: the oldest.

    Raises:
        ValueError: the part is none, or (``NothingSeen``) the encoder does not look there.
        PhotoSearchUnavailable: no worker answered, or too many ask.
        PictureError: the photo's file cannot be had or used any more.
        NoFeatureMap: the encoder cannot tell parts apart.
        LookupError: the model has no ImageEmbeddingField.
    """
    started = time.perf_counter()
    box, wish = Box.of(*part), Wish.of(limit=limit, min_similarity=min_similarity)
    space = space or served_space(type(product))
    rows = candidates(space, among)
    key = seed_key(space, product)
    seen = photo_of(space, key, rows.db, photo=photo)
    if seen is None:
        return SimilarProducts(space=space.label)
    seed = of_vector(vector_of(space, seen, box))
    others = recommendable(space, rows.exclude(**{item_path(space): key}))
    with reading(rows.db, **pool_settings(space)):
        shown = unblocked(space, others, [key], rows.db)
        search = Search(space, lambda: seed, lambda: shown, rows.db, is_given=True)
        found = live.find(search, wish)
    ways.note(space.item_model, found, started)
    return found


def asked_part(fields: Mapping[str, str]) -> Part | None:
    """Return the part that a form asks for: ``x``, ``y``, ``w``, ``h`` in percent; None: nothing.

    Raises:
        ValueError: one of them is no number, or they make no box.
    """
    given = [fields.get(name, "").strip() for name in ("x", "y", "w", "h")]
    if not any(given):
        return None
    try:
        x, y, width, height = (float(each) / 100 for each in given)
    except ValueError:
        x = y = width = height = math.nan  # say what would be a part
    box = Box.of(x, y, width, height)
    return box.left, box.top, box.width, box.height


def photo_of(
    space: SpaceDefinition, key: Any, using: str, *, photo: Any = None, hidden_too: bool = False
) -> SeenPhoto | None:
    """Return the photo that is meant, or None: hidden, unknown or not embedded."""
    photos = seen_photos(space, [key], using, hidden_too=hidden_too).get(key, [])
    return next((each for each in photos if photo is None or str(each.key) == str(photo)), None)


def vector_of(space: SpaceDefinition, seen: SeenPhoto, part: Box) -> Matrix:
    """Return the query, (dimensions,), that a part of a photo is; may wait for a worker."""
    found = photo_queries.ask_map(space, seen.name, seen.digest)
    chosen = weights(part, found.seen, *found.features.shape[:2])
    return query_of(space.embedder, found.mean_of(chosen))
