"""Every pair's similarity in tiles, never the full matrix: exact top-k of many items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import numpy.typing as npt

from imgrec.ranking import Ranking
from imgrec.reading import Vectors
from imgrec.topk import Matrix, Places, best_pairs, group_starts

# Items of a tile: 1,280 by 1,280 similarities are 6.5 MB, and stay in the cache.
TILE_ITEMS = 1280
Tile = tuple[int, int]  # its first item, and the one after its last


@dataclass(frozen=True)
class TopK:
    """The most similar items of each of ``owners`` (n), each list largest first."""

    owners: npt.NDArray[Any]
    items: npt.NDArray[Any]  # what ``columns`` number
    columns: Places  # (n, k); -1 where there are fewer
    similarities: Matrix  # (n, k), in 0..1

    def rows(self) -> Iterator[tuple[Any, Any, Matrix]]:
        """Yield owner, keys of its neighbours (m) and their similarities (m)."""
        owners = self.owners.tolist()
        places = zip(self.columns, self.similarities, strict=True)
        for owner, (columns, similarities) in zip(owners, places, strict=True):
            there = columns >= 0
            yield owner, self.items[columns[there]], similarities[there]


def all_pairs(everything: Vectors, k: int) -> TopK:
    """Return the exact top-k of all items among themselves, each pair computed once.

    Memory: a few tiles (30 MB) and items * (k + 160) * 8 B, beside the vectors.
    """
    items, starts = group_starts(everything.items)
    ranking = Ranking(len(items), k)
    tiles = [(i, min(i + TILE_ITEMS, len(items))) for i in range(0, len(items), TILE_ITEMS)]
    with ThreadPoolExecutor(2) as beside:
        offered: list[Future[None]] = []
        for rows, others in combinations_with_replacement(tiles, 2):
            # meanwhile the last block is ranked: NumPy lets go of the interpreter
            block = _between(everything, starts, rows, others)
            for each in offered:
                each.result()
            offered = [beside.submit(offer) for offer in _offers(ranking, block, rows, others)]
    for each in offered:
        each.result()
    return TopK(items, items, *ranking.best())


def _offers(
    ranking: Ranking, block: Matrix, rows: Tile, others: Tile
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return a block's two offers, of different rows each: two threads may make them."""
    if rows != others:
        return (
            partial(ranking.offer, block, others[0], slice(*rows)),
            partial(ranking.offer, block, rows[0], slice(*others), sideways=True),
        )
    np.fill_diagonal(block, -np.inf)
    half = len(block) // 2
    return (
        partial(ranking.offer, block[:half], rows[0], slice(rows[0], rows[0] + half)),
        partial(ranking.offer, block[half:], rows[0], slice(rows[0] + half, rows[1])),
    )


def _between(everything: Vectors, starts: Places, rows: Tile, others: Tile) -> Matrix:
    sides = []
    for begin, end in (rows, others):
        last = starts[end] if end < len(starts) else len(everything)
        sides.append((everything.matrix[starts[begin] : last], starts[begin:end] - starts[begin]))
    return _cosines(*sides[0], *sides[1])


def _cosines(left: Matrix, left_starts: Places, right: Matrix, right_starts: Places) -> Matrix:
    """Return items by items: of several photos the best pair."""
    return best_pairs(best_pairs(left @ right.T, right_starts, 1), left_starts, 0)


Block = tuple[npt.NDArray[Any], Matrix]  # items, and their similarity to the queries' (q, items)


def blocks(queries: Vectors, chunks: Iterable[Vectors]) -> Iterator[Block]:
    """Yield the similarity of each queried item to each chunk's items; -inf to itself."""
    owners, starts = group_starts(queries.items)
    for chunk in chunks:
        items, chunk_starts = group_starts(chunk.items)
        block = _cosines(queries.matrix, starts, chunk.matrix, chunk_starts)
        np.clip(block, 0.0, 1.0, out=block)
        _both, row, column = np.intersect1d(owners, items, assume_unique=True, return_indices=True)
        block[row, column] = -np.inf
        yield items, block


def nearest(queries: Vectors, passing: Iterable[Block], k: int) -> TopK:
    """Return the exact top-k of the queried items over all blocks.

    Memory: a block, and queried items * (k + 160) * 8 B.
    """
    owners, _starts = group_starts(queries.items)
    ranking, seen, columns = Ranking(len(owners), k), [np.empty(0, owners.dtype)], 0
    for items, block in passing if len(owners) else ():
        ranking.offer(block, columns)
        seen.append(items)
        columns += len(items)
    return TopK(owners, np.concatenate(seen), *ranking.best())
