"""Vectors in the forms PostgreSQL sends and takes them in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imgrec.topk import Matrix, unit

# halfvec_send: 2 bytes of dimensions, 2 unused, then big-endian halves.
_BEFORE = 2


def from_halves(sent: Sequence[bytes]) -> Matrix:
    """Return unit rows (n, dimensions) of what ``halfvec_send`` gave."""
    if not sent:
        return np.empty((0, 0), dtype=np.float32)
    raw = np.frombuffer(b"".join(map(bytes, sent)), dtype=">f2").reshape(len(sent), -1)
    # rounding to halves moved the lengths a little: a dot product is to be the cosine again
    return unit(raw[:, _BEFORE:].astype(np.float32))


def to_text(vector: Matrix) -> str:
    """Return a vector, (dimensions,), as pgvector reads a ``halfvec``.

    Five digits tell every half from its neighbours: half of what ``str`` writes, in half the time.
    """
    values = vector.astype(np.float16).tolist()
    return f"[{','.join(['%.5g'] * len(values))}]" % tuple(values)
