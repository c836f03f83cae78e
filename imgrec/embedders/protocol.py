"""What every encoder has to offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

Vectors = NDArray[np.float32]
# What a network looks at, of one picture: small, so that many can wait.
Prepared = NDArray[Any]
# Features of each cell of a grid over what the network looks at: (n, rows, columns, features).
Maps = NDArray[np.float32]
# Left, top, right and bottom of a part of a picture, each as a share of its width or height.
Part = tuple[float, float, float, float]


@runtime_checkable
class Embedder(Protocol):
    """Turns pictures into vectors. Cheap to make: loads nothing before the first ``embed``."""

    @property
    def name(self) -> str:
        """The encoder's name, the key of its entry in ``IMGREC["weights"]``."""

    @property
    def version(self) -> str:
        """Name, weights digest and preprocessing version, known without importing torch.

        Vectors of different versions are never compared.
        """

    @property
    def dimensions(self) -> int:
        """The length of every vector."""

    def embed(self, pictures: Sequence[Image], /) -> Vectors:
        """Return one L2-normalised row per RGB picture: float32, (pictures, dimensions), in order.

        A picture without features (all zero, or not finite) has a row of NaN.
        Raises ``WeightsUnavailable``.
        """

    def available(self) -> str | None:
        """Return None when the weights are on this machine, else a sentence on how to get them."""


@runtime_checkable
class Staged(Embedder, Protocol):
    """An embedder that prepares pictures apart from embedding them; optional.

    ``embed(pictures)`` equals ``embed_prepared([prepare(each) for each in pictures])``. Threads
    that decode photos then keep what the network looks at instead of whole pictures.
    """

    @property
    def decoded_side(self) -> int:
        """Pixels a picture's shorter side must keep when it is decoded at a reduced size."""

    def prepare(self, picture: Image, /) -> Prepared:
        """Return what the network looks at, of an RGB picture.

        Called by several threads at a time; loads no model and imports no torch.
        """

    def embed_prepared(self, inputs: Sequence[Prepared], /) -> Vectors:
        """Return the rows of ``embed``, in the order of ``inputs``. Raises as ``embed`` does."""


@runtime_checkable
class Mapped(Embedder, Protocol):
    """An embedder whose rows are the mean over the cells of a map, made unit rows; optional.

    Then a cosine splits exactly over the cells: it can be said why two photos are similar, and the
    mean of some cells is a query for products that look like a part.
    """

    def feature_map(self, inputs: Sequence[Any], /) -> Maps:
        """Return the maps, in the order of ``inputs``: pictures, or what ``prepare`` made of them.

        Raises as ``embed`` does, and ``NoFeatureMap`` where the mean is not all of it.
        """

    def seen(self, width: int, height: int, /) -> Part:
        """Return the part of a picture of that size, in pixels, that the cells lie over."""
