"""The same exact top-k on a GPU, where torch finds one; everything here is float32.

torch is imported on first use only, in the process that computes: never in a web process, and
never before a worker forks.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec

import numpy as np

from imgrec.pairs import TopK
from imgrec.reading import Vectors


@cache
def device() -> str:
    """Return the GPU torch would use, ``""`` where there is none, or no torch."""
    if find_spec("torch") is None or not _has_driver():
        return ""
    import torch

    return "cuda" if torch.cuda.is_available() else ""


def _has_driver() -> bool:
    """Return whether a GPU's driver is installed: torch alone is half a gigabyte of memory."""
    for name in ("libcuda.so.1", "nvcuda.dll"):
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False


def nearest(queries: Vectors, chunks: Iterable[Vectors], k: int, *, on: str) -> TopK:
    """Return the exact top-k of the queried items over all chunks, computed on device ``on``.

    As :func:`imgrec.pairs.nearest`, for items of one photo each. Memory of the device: a chunk's
    similarities (queried items * 4,096 * 4 B) and twice the top-k.
    """
    import torch

    owners = queries.items
    left = torch.from_numpy(queries.matrix).to(on)
    best = torch.full((len(owners), k), -1.0, device=on)
    columns = torch.full((len(owners), k), -1, dtype=torch.int64, device=on)
    seen, first = [np.empty(0, owners.dtype)], 0
    for chunk in chunks if len(owners) else ():
        items = chunk.items
        block = left @ torch.from_numpy(chunk.matrix).to(on).T
        block.clamp_(0.0, 1.0)
        _both, row, column = np.intersect1d(owners, items, assume_unique=True, return_indices=True)
        block[torch.from_numpy(row).to(on), torch.from_numpy(column).to(on)] = -1.0
        numbers = torch.arange(first, first + len(items), device=on).expand(len(owners), -1)
        best, chosen = torch.cat([best, block], 1).topk(k, dim=1)
        columns = torch.cat([columns, numbers], 1).gather(1, chosen)
        seen.append(items)
        first += len(items)
    columns = columns.masked_fill(best < 0, -1)
    return TopK(owners, np.concatenate(seen), columns.cpu().numpy(), best.cpu().numpy())
