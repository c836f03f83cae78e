"""Torch models: loaded once per process and version, on first use, under a lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray
from PIL.Image import Image

from imgrec.conf import settings
from imgrec.embedders.framing import without_far_ends
from imgrec.embedders.normalising import normalise
from imgrec.embedders.protocol import Vectors
from imgrec.errors import ImgrecError, WeightsUnavailable

if TYPE_CHECKING:
    from torch import Tensor, nn

# More at once costs memory and is no faster on a CPU.
PICTURES_AT_ONCE = 32


@dataclass(frozen=True)
class Network:
    """A model in evaluation mode, ending in its pooled features, and its own preprocessing."""

    features: nn.Module
    preprocess: Callable[[Image], Tensor]


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


def embed_with(network: Network, pictures: Sequence[Image], *, dimensions: int) -> Vectors:
    """Return one unit row per picture, (pictures, dimensions); NaN where there are no features."""
    waiting = iter(pictures)
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


def _features(network: Network, pictures: Iterable[Image]) -> NDArray[np.float32]:
    import torch

    with torch.inference_mode():
        batch = torch.stack([network.preprocess(without_far_ends(each)) for each in pictures])
        rows = network.features(batch.contiguous(memory_format=torch.channels_last))
        return np.asarray(rows.flatten(1).float().numpy(), dtype=np.float32)


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
