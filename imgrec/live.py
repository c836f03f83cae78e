"""Live search: exact among few eligible products, by the HNSW index among many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from django.db import connections
from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL

from imgrec.arranging import Candidates
from imgrec.guest import settings_of_our_own
from imgrec.halves import from_halves
from imgrec.matching import note_pair
from imgrec.pool import Candidate, Pool, Search
from imgrec.remembered import instances
from imgrec.results import SimilarProducts
from imgrec.search_settings import pool_settings
from imgrec.seeds import key_field
from imgrec.sql import IsIn
from imgrec.visibility import item_path
from imgrec.wishes import Wish

# How many times more candidates are read when those there are do not suffice.
WIDER = 4


def find(search: Search, wish: Wish) -> SimilarProducts:
    """Return the nearest eligible products that may be shown, never fewer than there are.

    Two SELECTs, between a BEGIN and a ROLLBACK of our own unless the host is in a transaction;
    more only where the index gave too few, or grouping and folding left too few.
    """
    pool, places, is_all = _enough(search, wish)
    shown = wish.arrange(arranged(pool, search), places)
    near = [pool.candidates[place] for place in shown]
    told = [(each.key, 1 - each.distance, each.group) for each in near]
    more = len(places) > len(shown) or not is_all
    return SimilarProducts(
        products_of(search, near),
        pool.served,
        pool.way,
        eligible=pool.eligible,
        next=partial(wish.next_token, told, more=more),
    )


def _enough(search: Search, wish: Wish) -> tuple[Pool, list[int], bool]:
    """Return candidates, the places of those that may be shown, and whether these are all.

    By the index as long as that gives more, else exactly.
    """
    take, exact = wish.first_take, False
    with settings_of_our_own(search.using, **pool_settings(search.space)):
        pool = search.pool(take)
        while True:
            places = wish.choose(arranged(pool, search))
            is_all = (pool.way != "hnsw" and len(pool.candidates) < take) or _is_past(pool, wish)
            if is_all or len(places) >= wish.wanted:
                return pool, places, is_all
            if pool.way == "hnsw" and not search.gives_more(pool, take):
                exact = True
            else:
                take *= WIDER
            pool = replace(search.pool(take, exact=exact), eligible=pool.eligible)


def _is_past(pool: Pool, wish: Wish) -> bool:
    """Return whether nothing further away is similar enough."""
    return bool(pool.candidates) and similarity_of(pool.candidates[-1]) < wish.least


def arranged(pool: Pool, search: Search) -> Candidates:
    """Return a pool as arrays."""
    near = pool.candidates
    return Candidates(
        [each.key for each in near],
        np.array([1 - each.distance for each in near]),
        [_hashable(each.group) for each in near] if search.group_by else None,
        from_halves([each.vector or b"" for each in near]) if search.with_vectors else None,
        variants=[each.variants or () for each in near] if search.with_variants else None,
    )


def _hashable(group: Any) -> Any:
    return tuple(group) if isinstance(group, list) else group


def products_of(search: Search, near: Sequence[Candidate]) -> list[Any]:
    """Fetch these products in their order, as the shop's own instances. One SELECT."""
    if not near:
        return []
    space = search.space
    rows = _instances(search, [candidate.key for candidate in near])
    by_key = {space.item_key(product): product for product in rows}
    found = []
    for candidate in near:
        product = by_key.get(candidate.key)
        if product is not None:
            product.similarity = similarity_of(candidate)
            if space.item:
                pair = candidate.seed_photo, candidate.photo, candidate.source_name
                note_pair(product, space, *pair)
            found.append(product)
    return found


def _instances(search: Search, keys: list[Any]) -> list[Any]:
    space, using, like = search.space, search.using, search.like
    path = item_path(space)
    if like is None:
        return list(search.rows().order_by().filter(**{f"{path}__in": keys}))
    field, connection = key_field(space), connections[using]
    prepared = [field.get_db_prep_value(key, connection) for key in keys]

    def put_together() -> QuerySet[Any]:
        array = f"%s::{field.rel_db_type(connection)}[]"
        chosen = RawSQL(array, (prepared,))  # noqa: S611 - the type of a key
        return like.shown().order_by().filter(IsIn(F(path), chosen))

    return instances((like.name, "shown"), prepared, using, put_together)


def similarity_of(candidate: Candidate) -> float:
    """Return the cosine, clipped to 0..1."""
    return float(min(max(1 - candidate.distance, 0.0), 1.0))
