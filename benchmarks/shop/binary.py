"""Rows for PostgreSQL's binary COPY, made by NumPy: all of a table's rows have one length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

_BIGINT_OID, _DOUBLE_OID = 20, 701
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"


def copy(table: str, columns: list[str], batches: Any) -> None:
    """Copy batches of rows, as :func:`rows` packs them, into a table."""
    from django.db import connection

    names = ", ".join(f'"{column}"' for column in columns)
    statement = f'COPY "{table}" ({names}) FROM STDIN WITH (FORMAT binary)'
    with connection.cursor() as cursor, cursor.copy(statement) as stream:
        stream.write(_HEADER)
        for batch in batches:
            stream.write(batch)
        stream.write(_END)


def rows(columns: Mapping[str, Any]) -> bytes:
    """Pack columns, each an array with one big-endian or byte-string entry a row."""
    count = len(next(iter(columns.values())))
    parts: list[tuple[str, Any]] = [("fields", ">i2")]
    for name, values in columns.items():
        parts += [(f"{name} length", ">i4"), (name, values.dtype, values.shape[1:])]
    packed = np.zeros(count, np.dtype(parts))
    packed["fields"] = len(columns)
    for name, values in columns.items():
        packed[f"{name} length"] = values[0].nbytes if count else 0
        packed[name] = values
    return packed.tobytes()


def integers(values: Any, kind: str = ">i8") -> Any:
    """Return ``bigint`` (or ``">i4"`` ``integer``) values."""
    return np.asarray(values).astype(kind)


def texts(pattern: str, numbers: Any) -> Any:
    """Return ``text`` values of one length, such as ``"photo-%08d.jpg"`` gives."""
    return np.array([(pattern % number).encode() for number in numbers])


def same(value: bytes, count: int) -> Any:
    """Return one value for every row, in PostgreSQL's own binary form."""
    return np.full(count, np.void(value))


def halfvecs(vectors: Any) -> Any:
    """Return ``halfvec`` values of float rows (n, dimensions)."""
    count, dimensions = vectors.shape
    packed = np.zeros((count, 2 + dimensions), ">i2")
    packed[:, 0] = dimensions
    packed[:, 2:] = vectors.astype(">f2").view(">i2")
    return packed


def arrays(values: Any) -> Any:
    """Return ``bigint[]`` or ``double precision[]`` values of rows (n, length)."""
    values = np.asarray(values)
    whole = values.dtype.kind == "i"
    kind, oid = (">i8", _BIGINT_OID) if whole else (">f8", _DOUBLE_OID)
    packed = np.zeros(
        len(values),
        np.dtype(
            [("head", ">i4", 5), ("each", [("length", ">i4"), ("value", kind)], values.shape[1])]
        ),
    )
    packed["head"] = (1, 0, oid, values.shape[1], 1)  # dimensions, no nulls, type, length, from 1
    packed["each"]["length"] = 8
    packed["each"]["value"] = values
    return packed
