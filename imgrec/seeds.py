"""What a live search starts from, as SQL: the photos of a product, or a vector."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.models import QuerySet

from imgrec.halves import to_text
from imgrec.models import Space
from imgrec.remembered import has_constant_rules, part
from imgrec.spaces import SpaceDefinition, spaces_of
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
    return Part("SELECT NULL::bigint AS photo, %s::halfvec AS vector", (to_text(vector),))


def vector_of(space: SpaceDefinition, key: Any, using: str) -> Part:
    """Return the vector of a product that :func:`is_known`; of several photos, an array."""
    if space.item:
        return compose(_OWN_VECTORS, photos=of_seed(space, key, using))
    return compose(_OWN_VECTOR, key=of_key(space, key, using), **names_of(space, using))


def is_known(space: SpaceDefinition, key: Any, using: str) -> Part:
    """Return the condition under which a product can be searched by."""
    if not has_constant_rules(space):
        return _is_known(space, key, using)
    prepared = prepared_key(space, key, using)
    return part(("known", space, using), prepared, lambda: _is_known(space, key, using))


def _is_known(space: SpaceDefinition, key: Any, using: str) -> Part:
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


def served_now(space: SpaceDefinition, *, is_given: bool) -> Part:
    """Return the label of the space that shoppers see, or of the one given, as a scalar."""
    labels = [each.label for each in spaces_of(space.item_model)]
    if is_given or len(labels) == 1:
        return Part("%s", (space.label,))
    table = Space._meta.db_table
    shown = f"SELECT label FROM {table} WHERE is_served AND label = ANY(%s)"  # noqa: S608
    return Part(f"coalesce(({shown}), %s)", (labels, labels[0]))


def names_of(space: SpaceDefinition, using: str) -> dict[str, Part]:
    """Return the ``{item}`` key of a photo, ``{photos}`` to search and their ``{vectors}``."""
    quote = connections[using].ops.quote_name
    table = quote(space.embedding_model._meta.db_table)
    vectors = f"{table} AS imgrec_photo"
    if not space.item:
        item = Part("imgrec_photo.owner_id")
        return {"item": item, "photos": Part(vectors), "vectors": Part(table)}
    owners = space.item_field.model._meta  # a parent of the space's model may hold the key
    on = f"imgrec_owner.{quote(owners.pk.column)} = imgrec_photo.owner_id"
    return {
        "item": Part(f"imgrec_owner.{quote(space.item_field.column)}"),
        "vectors": Part(table),
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
