"""Torch models: loaded once per process and version, on first use, under a lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from imgrec.conf import settings
from imgrec.embedders.normalising import normalise
from imgrec.embedders.protocol import Prepared, Vectors
from imgrec.errors import ImgrecError, WeightsUnavailable

if TYPE_CHECKING:
    from torch import Tensor, nn

# More at once costs memory and is no faster on a CPU.
PICTURES_AT_ONCE = 32

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Network:
    """A model in evaluation mode, ending in its pooled features.

    ``mean`` and ``std``, of red, green and blue from 0 to 1, are those its weights were trained
    with. Inputs that are float32 already have them applied.
    """

    features: nn.Module
    mean: Colour = (0.0, 0.0, 0.0)
    std: Colour = (1.0, 1.0, 1.0)
    transform: Any = None  # from a picture to a tensor, where it comes with the model


_networks: dict[str, Network] = {}
_lock = threading.Lock()


def network_of(version: str, load: Callable[[], Network]) -> Network:
    """Return this process's network of a version, loading it on first use.

    Torch must not be touched before a worker forks: its threads do not survive into the child.
    """
    with _lock:
        if version not in _networks:
            _set_threads()
            network = load()
            _prepare(network)
            _networks[version] = network
        return _networks[version]


def embed_with(network: Network, inputs: Iterable[Prepared], *, dimensions: int) -> Vectors:
    """Return one unit row per input, (inputs, dimensions); NaN where there are no features.

    Inputs are (height, width, 3), all of one size and type, and consumed a few at a time.
    """
    waiting = iter(inputs)
    parts = [np.empty((0, dimensions), dtype=np.float32)]
    while chunk := list(islice(waiting, PICTURES_AT_ONCE)):
        parts.append(normalise(_features(network, chunk)))
    if any(part.shape[1] != dimensions for part in parts):
        found = parts[-1].shape[1]
        raise ImgrecError(
            _("The model gives %(found)d dimensions where %(declared)d are declared.")
            % {"found": found, "declared": dimensions}
        )
    return np.concatenate(parts)


def _features(network: Network, inputs: Sequence[Prepared]) -> NDArray[np.float32]:
    import torch

    with torch.inference_mode():
        rows = network.features(_batch(network, np.stack(inputs)))
        return np.asarray(rows.flatten(1).float().numpy(), dtype=np.float32)


def _batch(network: Network, inputs: Prepared) -> Tensor:
    """Return the inputs as the network takes them, in the layout that CPUs convolve fastest."""
    import torch

    pixels = torch.from_numpy(inputs)
    if pixels.dtype == torch.uint8:
        mean = torch.tensor(network.mean) * 255
        std = torch.tensor(network.std) * 255
        pixels = pixels.float().sub_(mean).div_(std)
    return pixels.permute(0, 3, 1, 2)


def _prepare(network: Network) -> None:
    import torch

    network.features.eval()
    # The layout CPUs convolve fastest; the result is the same to rounding.
    network.features.to(memory_format=torch.channels_last)


def _set_threads() -> None:
    try:
        import torch
    except ImportError as error:
        raise WeightsUnavailable(
            _('torch is not installed in this process: pip install "imgrec[worker]".')
        ) from error
    torch.set_num_threads(settings.torch_threads)
