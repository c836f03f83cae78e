"""The default encoder: ResNet-18 as torchvision publishes it, before its classifier."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from PIL.Image import Resampling

from imgrec.embedders.framed import Framed
from imgrec.embedders.framing import Frame
from imgrec.embedders.networks import Network
from imgrec.embedders.states import fill
from imgrec.embedders.weights import Published, WeightsFile

PREPROCESSING = 2
# Those of torchvision's IMAGENET1K_V1.
FRAME = Frame(side=256, crop=224, resample=Resampling.BILINEAR)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

PUBLISHED = Published(
    url="https://download.pytorch.org/models/resnet18-f37072fd.pth",
    sha256="f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    size=46_830_571,
)


@dataclass(frozen=True)
class ResNet18(Framed):
    """torchvision's ResNet-18, weights ``IMAGENET1K_V1``, their own preprocessing; 512 dimensions.

    The weights come from ``weights``, a path (or ``IMGREC["weights"]["resnet18"]``), else from
    torchvision's cache, else from torchvision's address. Their full ``sha256`` is checked at every
    load; it is the published file's unless given with a path.
    """

    weights: str | Path | None = None
    sha256: str | None = field(default=None, kw_only=True)

    name: ClassVar[str] = "resnet18"
    dimensions: ClassVar[int] = 512
    frame: ClassVar[Frame] = FRAME

    @property
    def version(self) -> str:
        """Name, digest of the weights, version of the preprocessing."""
        return f"{self.name}-{self._file.sha256[:12]}-p{PREPROCESSING}"

    def available(self) -> str | None:
        """Return None when the weights are on this machine, else how to get them."""
        return self._file.missing()

    @property
    def _file(self) -> WeightsFile:
        return WeightsFile.of(self.name, path=self.weights, sha256=self.sha256, published=PUBLISHED)

    def _load(self) -> Network:
        data = self._file.read()
        import torch
        from torchvision.models import resnet18

        model = resnet18(weights=None)
        fill(model, data, encoder=self.name)
        # without what comes after its last map: the average over the map's cells, the classifier
        to_map = torch.nn.Sequential(*list(model.children())[:-2])
        return Network(to_map, MEAN, STD)
