"""What a live search starts from, as SQL: the photos of a product, or a vector."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.models import QuerySet
from pgvector import HalfVector

from imgrec.models import Space
from imgrec.spaces import SpaceDefinition
from imgrec.sql import Part, compiled, compose
from imgrec.topk import Matrix
from imgrec.visibility import visible

# Photos of the seed that are searched by, the oldest first.
SEED_PHOTOS = 8

_OWN_PHOTOS = """
SELECT imgrec_photo.owner_id AS photo, imgrec_photo.vector FROM {photos}
WHERE {item} = {key} AND imgrec_photo.version = {version} AND {shown}
ORDER BY imgrec_photo.owner_id LIMIT {most}
"""
# Subqueries keep vectors out of query logs.
_OWN_VECTOR = "(SELECT imgrec_photo.vector FROM {photos} WHERE {item} = {key})"
_OWN_VECTORS = "(SELECT array_agg(own.vector) FROM ({photos}) AS own)"
_IS_KNOWN = """EXISTS (
SELECT FROM {photos} WHERE {item} = {key} AND imgrec_photo.version = {version} AND {shown})"""

ANYWAY = Part("true")


def of_seed(space: SpaceDefinition, key: Any, using: str, *, shown: Part = ANYWAY) -> Part:
    """Return a product's own photos as a seed; ``shown``: the condition for it to be one."""
    parts: dict[str, Any] = {**names_of(space, using), "shown": shown, "most": SEED_PHOTOS}
    return compose(_OWN_PHOTOS, key=of_key(space, key, using), version=version_of(space), **parts)


def of_vector(vector: Matrix) -> Part:
    """Return a vector (dimensions,) as a seed."""
    text = HalfVector(vector).to_text()
    return Part("SELECT NULL::bigint AS photo, %s::halfvec AS vector", (text,))


def vector_of(space: SpaceDefinition, key: Any, using: str) -> Part:
    """Return the vector of a product that :func:`is_known`; of several photos, an array."""
    if space.item:
        return compose(_OWN_VECTORS, photos=of_seed(space, key, using))
    return compose(_OWN_VECTOR, key=of_key(space, key, using), **names_of(space, using))


def is_known(space: SpaceDefinition, key: Any, using: str) -> Part:
    """Return the condition under which a product can be searched by."""
    shown, version = is_visible(space, key, using), version_of(space)
    parts: dict[str, Any] = {**names_of(space, using), "key": of_key(space, key, using)}
    return compose(_IS_KNOWN, shown=shown, version=version, **parts)


def is_visible(space: SpaceDefinition, key: Any, using: str) -> Part:
    """Return the condition under which a product may be a seed."""
    items: QuerySet[Any] = space.item_model._base_manager.all()
    shown = compiled(visible(space, items).filter(pk=key).values("pk"), using)
    return compose("EXISTS ({shown})", shown=shown) if shown else Part("false")


def version_of(space: SpaceDefinition) -> Part:
    """Return the served version as a scalar, so that a switch is seen by the next read."""
    table = Space._meta.db_table
    return Part(f"(SELECT served_version FROM {table} WHERE label = %s)", (space.label,))  # noqa: S608


def names_of(space: SpaceDefinition, using: str) -> dict[str, Part]:
    """Return the ``{item}`` key of a photo and the ``{photos}`` to search, as SQL."""
    quote = connections[using].ops.quote_name
    vectors = f"{quote(space.embedding_model._meta.db_table)} AS imgrec_photo"
    if not space.item:
        return {"item": Part("imgrec_photo.owner_id"), "photos": Part(vectors)}
    owners = space.item_field.model._meta  # a parent of the space's model may hold the key
    on = f"imgrec_owner.{quote(owners.pk.column)} = imgrec_photo.owner_id"
    return {
        "item": Part(f"imgrec_owner.{quote(space.item_field.column)}"),
        "photos": Part(f"({vectors} JOIN {quote(owners.db_table)} AS imgrec_owner ON {on})"),
    }


def of_key(space: SpaceDefinition, key: Any, using: str) -> Part:
    """Return an item's key as a parameter."""
    return Part("%s", (prepared_key(space, key, using),))


def prepared_key(space: SpaceDefinition, key: Any, using: str) -> Any:
    """Return an item's key as the database takes it."""
    return key_field(space).get_db_prep_value(key, connections[using])


def key_field(space: SpaceDefinition) -> Any:
    """Return a plain field of the type of the item's key."""
    return space.list_model._meta.get_field("neighbours").base_field
