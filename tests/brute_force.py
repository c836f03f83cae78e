"""The slow truth: every pair in float64, to hold stored lists and searches against."""

from __future__ import annotations

from typing import Any

import numpy as np

from imgrec.spaces import SpaceDefinition

TIE = 1e-6


def vectors_by_item(space: SpaceDefinition) -> dict[Any, Any]:
    """Return each item's stored vectors as a float64 array of unit rows."""
    rows = space.embedding_model.objects.values_list(space.item_column, "vector")
    found: dict[Any, list[Any]] = {}
    for item, vector in rows:
        found.setdefault(item, []).append(np.asarray(vector, dtype=np.float64))
    return {
        item: np.stack([v / np.linalg.norm(v) for v in vectors]) for item, vectors in found.items()
    }


def similarities(space: SpaceDefinition) -> tuple[list[Any], Any]:
    """Return the items and their similarity to each other (items, items)."""
    by_item = vectors_by_item(space)
    items = sorted(by_item)
    if not items:
        return [], np.empty((0, 0))
    starts = np.cumsum([0, *(len(by_item[item]) for item in items[:-1])])
    vectors = np.concatenate([by_item[item] for item in items])
    best = np.maximum.reduceat(vectors @ vectors.T, starts, axis=0)
    return items, np.clip(np.maximum.reduceat(best, starts, axis=1), 0.0, 1.0)


def differences(space: SpaceDefinition, *, at_least: int = 64) -> list[str]:
    """Compare all stored lists with brute force; ties within 1e-6 count as equal."""
    items, table = similarities(space)
    rows = space.list_model.objects.values_list("owner", "neighbours", "similarities")
    stored = {owner: (ids, values) for owner, ids, values in rows}
    found = [f"no list of {item}" for item in items if item not in stored]
    found += [f"a list of {item}, which has no vector" for item in set(stored) - set(items)]
    place = {item: i for i, item in enumerate(items)}
    for item in set(items) & set(stored):
        found += _compare(item, *stored[item], table[place[item]], place, at_least)
    return found


def _compare(
    item: Any, ids: list[Any], values: list[float], row: Any, place: dict[Any, int], at_least: int
) -> list[str]:
    if len(set(ids)) != len(ids) or item in ids or set(ids) - set(place):
        return [f"{item}: doubled, itself or unknown in {ids}"]
    if len(ids) < min(at_least, len(place) - 1):
        return [f"{item}: only {len(ids)} of {len(place) - 1}"]
    truth = np.sort(np.delete(row, place[item]))[::-1][: len(ids)]
    mine = np.array([row[place[other]] for other in ids])
    if np.abs(mine - truth).max(initial=0) > TIE or np.abs(mine - values).max(initial=0) > TIE:
        return [f"{item}: similarities {values[:5]}… instead of {truth[:5]}…"]
    return []
