"""What encoders share that look at one square of a picture, cut out before the network runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from PIL.Image import Image

from imgrec.embedders.framing import Frame
from imgrec.embedders.networks import Network, embed_with, map_with, network_of
from imgrec.embedders.protocol import Maps, Part, Prepared, Vectors
from imgrec.embedders.scaling import cut


class Framed(ABC):
    """An encoder by a torch network, with its ``frame`` and the length of its rows."""

    frame: ClassVar[Frame]
    dimensions: ClassVar[int]

    @property
    @abstractmethod
    def version(self) -> str:
        """Name, digest of the weights, version of the preprocessing."""

    @abstractmethod
    def _load(self) -> Network:
        """Return the network with its weights. Raises ``WeightsUnavailable``."""

    @property
    def decoded_side(self) -> int:
        """Pixels a picture's shorter side must keep when it is decoded at a reduced size.

        2.75 times what it is scaled to: with only twice as much, photos of 12 megapixels fell to
        a cosine of 0.992 and kept 97 % of their lists.
        """
        return 11 * self.frame.side // 4

    def embed(self, pictures: Sequence[Image], /) -> Vectors:
        """Return unit rows, float32, (pictures, dimensions). Raises ``WeightsUnavailable``."""
        running = network_of(self.version, self._load)
        return embed_with(running, map(self.prepare, pictures), dimensions=self.dimensions)

    def prepare(self, picture: Image, /) -> Prepared:
        """Return the square the network looks at, uint8, (crop, crop, 3)."""
        return cut(self.frame, picture)

    def embed_prepared(self, inputs: Sequence[Prepared], /) -> Vectors:
        """Return unit rows as ``embed`` does, of prepared pictures."""
        running = network_of(self.version, self._load)
        return embed_with(running, inputs, dimensions=self.dimensions)

    def feature_map(self, inputs: Sequence[Prepared], /) -> Maps:
        """Return what the rows of prepared pictures are the mean of, from the same network."""
        return map_with(network_of(self.version, self._load), inputs)

    def seen(self, width: int, height: int, /) -> Part:
        """Return the part of a picture of that size, in pixels, that the square shows."""
        return self.frame.seen(width, height)
