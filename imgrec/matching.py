"""Which photos matched, where products have several."""

from __future__ import annotations

from typing import Any

from django.db import connections, models

from imgrec.results import SimilarProducts
from imgrec.spaces import SpaceDefinition, space_by_label

_BEST_PAIRS = """
SELECT DISTINCT ON (photo.{item}) photo.{item}, seed.photo, found.owner_id, found.source_name
FROM {vectors} AS found
JOIN {photos} AS photo ON photo.{key} = found.owner_id
CROSS JOIN ({seeds}) AS seed (photo, vector)
WHERE photo.{item} = ANY(%(items)s)
    AND found.version = (SELECT served_version FROM imgrec_space WHERE label = %(label)s)
ORDER BY photo.{item}, found.vector <=> seed.vector, found.owner_id, seed.photo
"""
_OF_A_PRODUCT = """
SELECT own.owner_id, own.vector FROM {vectors} AS own
JOIN {photos} AS own_photo ON own_photo.{key} = own.owner_id
WHERE own_photo.{item} = %(seed)s
    AND own.version = (SELECT served_version FROM imgrec_space WHERE label = %(label)s)
"""


def note_photos(found: SimilarProducts, seed: models.Model, using: str) -> None:
    """Set ``seed_photo`` and ``matched_photo``, keys of the pair that made the similarity.

    And ``matched_image``, the file of the latter. One SELECT; none for products of one photo.
    """
    space = space_by_label(found.space)
    if space is not None:
        _note(found, space, _OF_A_PRODUCT, {"seed": space.item_key(seed)}, using)


def _note(
    found: SimilarProducts, space: SpaceDefinition, seeds: str, values: dict[str, Any], using: str
) -> None:
    if not found or not space.item:
        return
    values |= {"items": [space.item_key(product) for product in found], "label": space.label}
    with connections[using].cursor() as cursor:
        cursor.execute(_sql(space, seeds, using), values)
        pairs = {item: pair for item, *pair in cursor.fetchall()}
    for product in found:
        note_pair(product, space, *pairs.get(space.item_key(product), (None, None, "")))


def note_pair(product: Any, space: SpaceDefinition, seed_photo: Any, photo: Any, name: str) -> None:
    """Set what tells which photos of seed and product made the similarity."""
    source = space.source_field
    product.seed_photo, product.matched_photo = seed_photo, photo
    product.matched_image = source.attr_class(None, source, name)


def _sql(space: SpaceDefinition, seeds: str, using: str) -> str:
    quote = connections[using].ops.quote_name
    photos = space.item_field.model._meta  # a parent of the space's model may hold the key
    names = {
        "item": quote(space.item_field.column),
        "key": quote(photos.pk.column),
        "vectors": quote(space.embedding_model._meta.db_table),
        "photos": quote(photos.db_table),
    }
    return _BEST_PAIRS.format(**names, seeds=seeds.format(**names))
