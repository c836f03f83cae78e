"""Live search: exact among few eligible products, by the HNSW index among many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from imgrec.guest import settings_of_our_own
from imgrec.matching import note_pair
from imgrec.pool import OVERFETCH, Candidate, Pool, Search
from imgrec.results import SimilarProducts
from imgrec.search_settings import pool_settings
from imgrec.visibility import item_path

# How many times more the index is asked for when its photos are of too few products.
WIDER = 4


def find(search: Search, limit: int, least: float) -> SimilarProducts:
    """Return the nearest eligible products, never fewer than there are.

    Two SELECTs, between a BEGIN and a ROLLBACK of our own unless the host is in a transaction;
    more only where the index gave too few.
    """
    pool = _enough(search, limit)
    near = [each for each in pool.candidates if similarity_of(each) >= least]
    products = products_of(search, near)
    return SimilarProducts(products, pool.served, pool.way, eligible=pool.eligible)


def _enough(search: Search, limit: int) -> Pool:
    """Return the nearest candidates: by the index if it gives as many as asked, else exactly."""
    take = limit
    with settings_of_our_own(search.using, **pool_settings(search.space)):
        pool = search.pool(take)
        while pool.way == "hnsw" and len(pool.candidates) < limit:
            if pool.scanned < take * OVERFETCH or not search.space.item:
                return replace(search.pool(limit, exact=True), eligible=pool.eligible)
            take *= WIDER
            pool = search.pool(take)
    return pool


def products_of(search: Search, near: Sequence[Candidate]) -> list[Any]:
    """Fetch these products in their order, as the shop's own instances. One SELECT."""
    if not near:
        return []
    space = search.space
    rows = search.rows.order_by().filter(**{f"{item_path(space)}__in": [c.key for c in near]})
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


def similarity_of(candidate: Candidate) -> float:
    """Return the cosine, clipped to 0..1."""
    return float(min(max(1 - candidate.distance, 0.0), 1.0))
