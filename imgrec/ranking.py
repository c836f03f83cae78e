"""The k largest of each row of a matrix that is never there as a whole: it comes in blocks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from imgrec.topk import Matrix

Packed = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]

# Slots a row has beyond k: candidates gather there and are thinned out when they are full.
ROOM = 160
# A row's first block is cut into this many stripes: the k-th largest of the stripes' maxima
# is a lower bound for the k-th largest value.
STRIPES = 256
LOW = np.int64(2**32 - 1)


class Ranking:
    """Top-k of each of ``rows`` rows, over blocks of columns offered in any order.

    A candidate is one integer: the bits of its similarity above, its column below (inverted, so
    that of equals the first column wins). Integers sort several times faster than an argsort.

    Memory: rows * (k + 160) * 8 B, and half as much again while it is thinned out.
    """

    def __init__(self, rows: int, k: int) -> None:
        self.k = k
        self.slots: Packed = np.full((rows, k + ROOM), -1, dtype=np.int64)
        self.filled = np.zeros(rows, dtype=np.intp)
        # nothing at or below it can be among the k largest any more
        self.least = np.full(rows, -np.inf, dtype=np.float32)

    def offer(
        self, block: Matrix, columns: int, rows: slice = slice(None), *, sideways: bool = False
    ) -> None:
        """Take what may be among the largest of these rows.

        Args:
            block: cosines (rows, n), clipped here to 0..1, and only those that are taken: a pass
                over all of them would cost as much as a fifth of computing them. -inf does not
                take part.
            columns: the number of the block's first column.
            rows: which rows the block is of; default all.
            sideways: the block is (n, rows): the same one serves both sides of a pair.
        """
        row, column, values = self._above(block, rows, sideways=sideways)
        counts = np.bincount(row, minlength=len(self.least[rows]))
        if (self.filled[rows] + counts).max(initial=0) > self.slots.shape[1]:
            self._thin_out(rows)
            if counts.max() > ROOM:  # too many at once: half the block first raises the bar
                self._offer_halves(block, columns, rows, sideways=sideways)
                return
        before = np.cumsum(counts) - counts
        place = np.arange(len(row)) - before[row] + self.filled[rows][row]
        bits = values.view(np.int32).astype(np.int64)
        self.slots[rows][row, place] = (bits << 32) | (LOW - (column + columns))
        self.filled[rows] += counts

    def _offer_halves(self, block: Matrix, columns: int, rows: slice, *, sideways: bool) -> None:
        axis = 0 if sideways else 1
        half = block.shape[axis] // 2
        first, second = np.split(block, [half], axis=axis)
        self.offer(first, columns, rows, sideways=sideways)
        self.offer(second, columns + half, rows, sideways=sideways)

    def _above(
        self, block: Matrix, rows: slice, *, sideways: bool
    ) -> tuple[Places, Places, Matrix]:
        """Return row, column and value of what is above its row's bar, row by row."""
        least = self._least(block, rows, sideways=sideways)
        chosen = np.flatnonzero(block > (least[None, :] if sideways else least[:, None]))
        values = np.clip(block.ravel()[chosen], 0.0, 1.0)
        values += 0.0  # of a zero below zero the bits are not those of the smallest
        row = chosen // block.shape[1]  # twice as quick as divmod
        column = chosen - row * block.shape[1]
        if not sideways:
            return row, column, values
        order = np.argsort(column.astype(np.uint16), kind="stable")  # 16 bits: sorted by radix
        return column[order], row[order], values[order]

    def _least(self, block: Matrix, rows: slice, *, sideways: bool) -> Matrix:
        """Return the bar of each row; a look at the first block raises it for rows without one."""
        least: Matrix = self.least[rows]
        width = block.shape[0 if sideways else 1] // STRIPES
        if width < 2 or self.k >= STRIPES or np.isfinite(least).all():
            return least
        if sideways:
            stripes = block[: width * STRIPES].reshape(width, STRIPES, -1).max(axis=0).T
        else:
            stripes = block[:, : width * STRIPES].reshape(-1, width, STRIPES).max(axis=1)
        bound = np.partition(stripes, STRIPES - self.k, axis=1)[:, STRIPES - self.k]
        # just below it: what equals the bound may be one of the k
        bar: Matrix = np.maximum(least, np.nextafter(bound, np.float32(-1)))
        self.least[rows] = bar
        return bar

    def _thin_out(self, rows: slice) -> None:
        """Keep the k largest of each row."""
        slots = self.slots[rows]
        slots.partition(slots.shape[1] - self.k, axis=1)
        best = slots[:, -self.k :].copy()
        slots[:, : self.k] = best
        slots[:, self.k :] = -1
        self.filled[rows] = self.k  # what is not taken of these may lie anywhere among them
        self._raise_bar(rows, best)

    def _raise_bar(self, rows: slice, best: Packed) -> None:
        last = best.min(axis=1)
        bar = np.where(last >= 0, (last >> 32).astype(np.int32).view(np.float32), -np.inf)
        self.least[rows] = np.where(bar < 1, bar, np.inf)  # of cosines that round to above 1

    def best(self) -> tuple[npt.NDArray[np.intp], Matrix]:
        """Return columns and similarities (rows, k), largest first; -1 where there is none."""
        ordered = np.sort(self.slots, axis=1)[:, : -self.k - 1 : -1]
        columns = np.where(ordered >= 0, LOW - (ordered & LOW), -1)
        similarities = (ordered >> 32).astype(np.int32).view(np.float32)
        return columns.astype(np.intp), np.where(ordered >= 0, similarities, np.float32(-1))
