"""What every encoder has to offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

Vectors = NDArray[np.float32]


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
