"""Which photos matched, where products have several."""

from __future__ import annotations

from django.db import connections, models

from imgrec.results import SimilarProducts
from imgrec.spaces import SpaceDefinition, space_by_label

_BEST_PAIRS = """
SELECT DISTINCT ON (photo.{item}) photo.{item}, seed.owner_id, found.owner_id
FROM {vectors} AS found
JOIN {photos} AS photo ON photo.{key} = found.owner_id
JOIN {vectors} AS seed ON seed.version = found.version
JOIN {photos} AS seed_photo ON seed_photo.{key} = seed.owner_id
WHERE photo.{item} = ANY(%s) AND seed_photo.{item} = %s
ORDER BY photo.{item}, found.vector <=> seed.vector, found.owner_id, seed.owner_id
"""


def note_photos(found: SimilarProducts, seed: models.Model, using: str) -> None:
    """Set ``seed_photo`` and ``matched_photo``, keys of the pair that made the similarity."""
    space = space_by_label(found.space)
    if not found or space is None or not space.item:
        return
    with connections[using].cursor() as cursor:
        cursor.execute(_sql(space, using), [[product.pk for product in found], seed.pk])
        pairs = {item: pair for item, *pair in cursor.fetchall()}
    for product in found:
        product.seed_photo, product.matched_photo = pairs.get(product.pk, (None, None))


def _sql(space: SpaceDefinition, using: str) -> str:
    quote = connections[using].ops.quote_name
    photos = space.model._meta
    return _BEST_PAIRS.format(
        item=quote(photos.get_field(space.item).column),
        key=quote(photos.pk.column),
        vectors=quote(space.embedding_model._meta.db_table),
        photos=quote(photos.db_table),
    )
