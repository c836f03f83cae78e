"""Several products as one query: their vectors, read at once and put together by weight."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connections, models

from imgrec.arranging import blend
from imgrec.halves import from_halves
from imgrec.seeds import SEED_PHOTOS, key_field, names_of, served_now, version_of
from imgrec.spaces import SpaceDefinition
from imgrec.sql import Part, compiled, compose, fetched
from imgrec.topk import Matrix, unit
from imgrec.visibility import visible

Weights = dict[Any, float]  # by the item's key
Several = models.Model | Iterable[models.Model] | Mapping[models.Model, float]

_VECTORS = """
SELECT {served}, found.* FROM (SELECT) AS once LEFT JOIN (
    SELECT {item} AS key, halfvec_send(imgrec_photo.vector) AS vector FROM {photos}
    WHERE {item} = ANY({keys}) AND imgrec_photo.version = {version} AND {item} IN ({shown})
    ORDER BY imgrec_photo.owner_id
) AS found ON true
"""


@dataclass(frozen=True)
class Blended:
    """``vector``: where products and what they are not to be like lead; None: nowhere.

    ``seeds``: unit rows, every photo of the products. ``served``: the space that shoppers see.
    """

    vector: Any
    seeds: Matrix
    served: str


def weights_of(name: str, products: Any) -> list[tuple[models.Model, float]]:
    """Return products with their weights, 1 unless given.

    Raises:
        ValueError: not products, or a weight that is not above 0.
    """
    if isinstance(products, models.Model):
        return [(products, 1.0)]
    if isinstance(products, Mapping):
        found = list(products.items())
    elif isinstance(products, Iterable) and not isinstance(products, str | bytes):
        found = [(product, 1.0) for product in products]
    else:
        found = [(products, 1.0)]
    for product, weight in found:
        if not isinstance(product, models.Model):
            raise ValueError(
                f"{name}: {product!r} is no product. Give a product, several, or"
                " {product: weight}."
            )
        if not isinstance(weight, int | float) or not 0 < weight < math.inf:
            raise ValueError(f"{name}: the weight {weight!r} of {product!r} is not above 0.")
    return found


def blended(
    space: SpaceDefinition, likes: Weights, dislikes: Weights, using: str, *, is_given: bool
) -> Blended:
    """Read the vectors of some products, hidden ones left out, and blend them. One SELECT.

    A product of several photos counts as their mean.
    """
    keys = list(dict.fromkeys([*likes, *dislikes]))
    rows = fetched(_statement(space, keys, using, is_given=is_given), using)
    photos: dict[Any, list[bytes]] = {}
    for _served, key, vector in rows:
        if key is not None:
            photos.setdefault(key, []).append(vector)
    known = {key: from_halves(sent[:SEED_PHOTOS]) for key, sent in photos.items()}
    seeds = [known[key] for key in likes if key in known]
    vector = blend(_means(likes, known), _means(dislikes, known)) if seeds else None
    nothing = np.empty((0, space.embedder.dimensions), dtype=np.float32)
    return Blended(vector, np.concatenate(seeds) if seeds else nothing, rows[0][0])


def _means(weights: Weights, known: Mapping[Any, Matrix]) -> list[tuple[Any, float]]:
    means = ((unit(known[k].mean(axis=0)[None]), w) for k, w in weights.items() if k in known)
    return [(mean[0], weight) for mean, weight in means if mean.any()]


def _statement(space: SpaceDefinition, keys: list[Any], using: str, *, is_given: bool) -> Part:
    items = visible(space, space.item_model._base_manager.all()).filter(pk__in=keys).values("pk")
    names: dict[str, Any] = names_of(space, using)
    nothing = compose("SELECT {item} FROM {photos} WHERE false", **names)
    cast = f"%s::{key_field(space).db_type(connections[using])}[]"
    return compose(
        _VECTORS,
        served=served_now(space, is_given=is_given),
        keys=Part(cast, (keys,)),
        version=version_of(space),
        shown=compiled(items, using) or nothing,
        **names,
    )
