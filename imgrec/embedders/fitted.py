"""Any encoder, seen through a projection that was fitted on the shop's own vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray
from PIL.Image import Image

from imgrec.embedders.normalising import normalise
from imgrec.embedders.protocol import Embedder, Prepared, Staged, Vectors
from imgrec.embedders.resolving import resolve
from imgrec.embedders.weights import explain_file, read_verified
from imgrec.errors import WeightsUnavailable


@dataclass(frozen=True)
class Fitted:
    """An encoder and a projection: fewer dimensions, and what all photos share taken away.

    ``imgrec_fit`` makes the file, and prints its ``sha256``. Both are part of the field, so that
    a web process knows the version without reading anything; another file is another version.
    ``base``: an encoder, or its dotted path.
    """

    base: Embedder | str
    projection: str | Path
    sha256: str = field(kw_only=True)
    dimensions: int = field(default=256, kw_only=True)

    def __new__(cls, base: Embedder | str | None = None, *args: Any, **kwargs: Any) -> Fitted:
        """Make one that prepares pictures apart from embedding them, if the encoder does."""
        is_staged = cls is Fitted and base is not None and isinstance(resolve(base), Staged)
        made: Fitted = object.__new__(StagedFitted if is_staged else cls)
        return made

    @property
    def encoder(self) -> Embedder:
        """The encoder that looks at pictures."""
        return resolve(self.base)

    @property
    def name(self) -> str:
        """The encoder's, and that it is fitted."""
        return f"{self.encoder.name}+fitted"

    @property
    def version(self) -> str:
        """The encoder's, and the digest of the projection."""
        return f"{self.encoder.version}+fitted-{self.sha256[:12].lower()}"

    def available(self) -> str | None:
        """Return None when encoder and projection are on this machine, else how to get them."""
        missing = explain_file(Path(self.projection), sha256=self.sha256)
        return self.encoder.available() or missing

    def embed(self, pictures: Sequence[Image], /) -> Vectors:
        """Return unit rows, float32, (pictures, dimensions). Raises ``WeightsUnavailable``."""
        return self.project(self.encoder.embed(pictures))

    def project(self, rows: Vectors) -> Vectors:
        """Return the encoder's rows (n, its dimensions) as unit rows of this space."""
        projection = _read(Path(self.projection), self.sha256)
        wanted = (self.encoder.dimensions, self.dimensions)
        if projection.matrix.shape != wanted:
            raise WeightsUnavailable(
                _("%(path)s is a projection from %(found)s dimensions, not %(wanted)s.")
                % {
                    "path": self.projection,
                    "found": " to ".join(map(str, projection.matrix.shape)),
                    "wanted": " to ".join(map(str, wanted)),
                }
            )
        return projection(rows)


class StagedFitted(Fitted):
    """A fitted encoder round one that prepares pictures apart from embedding them."""

    @property
    def decoded_side(self) -> int:
        """The encoder's."""
        return self._staged.decoded_side

    def prepare(self, picture: Image, /) -> Prepared:
        """Return what the encoder makes of a picture."""
        return self._staged.prepare(picture)

    def embed_prepared(self, inputs: Sequence[Prepared], /) -> Vectors:
        """Return unit rows as ``embed`` does, of prepared pictures."""
        return self.project(self._staged.embed_prepared(inputs))

    @property
    def _staged(self) -> Staged:
        return cast(Staged, self.encoder)


@dataclass(frozen=True, eq=False)
class Projection:
    """``mean`` (d) is taken away, ``matrix`` (d, dimensions) multiplied, the rest normalised."""

    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]

    def __call__(self, rows: Vectors) -> Vectors:
        """Return unit rows (n, dimensions); NaN for rows that are nothing but the mean."""
        return normalise((rows - self.mean) @ self.matrix)

    def to_bytes(self) -> bytes:
        """Return the file's content: the same arrays give the same bytes."""
        buffer = BytesIO()
        np.savez(buffer, mean=self.mean, matrix=self.matrix)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Projection:
        """Read such content. Raises ``ValueError``, ``KeyError``, ``OSError``, ``BadZipFile``.

        A lone array instead of several by name is a ``TypeError``.
        """
        with np.load(BytesIO(data), allow_pickle=False) as stored:
            mean, matrix = stored["mean"], stored["matrix"]
        if mean.ndim != 1 or matrix.ndim != 2 or len(mean) != len(matrix):
            raise ValueError(f"shapes {mean.shape} and {matrix.shape}")
        return cls(mean.astype(np.float32), matrix.astype(np.float32))


@lru_cache(maxsize=8)
def _read(path: Path, sha256: str) -> Projection:
    data = read_verified(path, sha256=sha256)
    try:
        return Projection.from_bytes(data)
    except (ValueError, KeyError, OSError, TypeError, BadZipFile) as error:
        raise WeightsUnavailable(
            _("%(path)s is no projection that imgrec_fit made: %(error)s")
            % {"path": path, "error": error}
        ) from error
