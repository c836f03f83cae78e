"""A forward pass through torch: from what pictures were prepared to, to features."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from imgrec.embedders.protocol import Prepared
from imgrec.errors import NoFeatureMap

if TYPE_CHECKING:
    import torch

Colour = tuple[float, float, float]

# On a CPU few at once stay in its caches: EfficientNet-Lite0 takes half the time of 32 at once,
# ResNet-18 the same.
AT_ONCE_ON_CPU, AT_ONCE_ON_GPU = 4, 256


class Forward(Protocol):
    """Something that computes features of at most ``at_once`` inputs a call."""

    @property
    def at_once(self) -> int:
        """How many inputs it takes at a time."""

    def __call__(self, inputs: Prepared, /) -> NDArray[np.float32]:
        """Return one row of features per input of (n, height, width, 3)."""

    def map(self, inputs: Prepared, /) -> NDArray[np.float32]:
        """Return what those rows are the mean of: (n, rows, columns, features)."""


@dataclass(frozen=True)
class TorchForward:
    """A torch model on a device, in a precision.

    A model that ends in a map of features is averaged over its cells here, in float32, so that
    rows and maps come from one and the same pass.

    ``mean`` and ``std``, of red, green and blue from 0 to 1, are those its weights were trained
    with; they are applied to uint8 inputs. float32 ones have them applied already.
    """

    model: torch.nn.Module
    device: torch.device
    dtype: torch.dtype
    mean: Colour
    std: Colour

    @property
    def at_once(self) -> int:
        """How many inputs it takes at a time."""
        return AT_ONCE_ON_CPU if self.device.type == "cpu" else AT_ONCE_ON_GPU

    def __call__(self, inputs: Prepared, /) -> NDArray[np.float32]:
        """Return one row of features per input of (n, height, width, 3)."""
        return self._computed(inputs, _rows)

    def map(self, inputs: Prepared, /) -> NDArray[np.float32]:
        """Return (n, rows, columns, features).

        Raises:
            NoFeatureMap: the model ends in rows.
        """
        return self._computed(inputs, _map)

    def _computed(self, inputs: Prepared, shape: Callable[[Any], Any]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            pixels = torch.from_numpy(inputs).to(self.device)
            if pixels.dtype == torch.uint8:
                pixels = self._standardised(pixels)
            # seen from here a batch of rows of pixels is channels_last already
            features = self.model(pixels.permute(0, 3, 1, 2).to(self.dtype)).float()
            return np.asarray(shape(features).cpu().numpy(), dtype=np.float32)

    def in_half(self, kind: torch.dtype) -> TorchForward:
        """Return the same in another precision, with a copy of the weights."""
        return replace(self, model=copy.deepcopy(self.model).to(kind), dtype=kind)

    def _standardised(self, pixels: torch.Tensor) -> torch.Tensor:
        import torch

        mean, std = (
            # whole rows of pixels: with three numbers a time it takes five times as long
            torch.tensor(colour, device=self.device).repeat(pixels.shape[2]) * 255
            for colour in (self.mean, self.std)
        )
        rows = pixels.flatten(2).float().sub_(mean).div_(std)
        return rows.view(pixels.shape)


def _rows(features: torch.Tensor) -> torch.Tensor:
    return features.mean(dim=(2, 3)) if features.dim() == 4 else features.flatten(1)


def _map(features: torch.Tensor) -> torch.Tensor:
    if features.dim() != 4:
        raise NoFeatureMap
    return features.permute(0, 2, 3, 1)
