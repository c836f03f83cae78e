"""Torch models: loaded once per process and version, on first use, under a lock."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray
from PIL import Image

from imgrec.conf import settings
from imgrec.embedders import probing
from imgrec.embedders.folding import fold
from imgrec.embedders.forward import Colour, Forward, TorchForward
from imgrec.embedders.framing import Frame
from imgrec.embedders.fusing import fuse
from imgrec.embedders.normalising import normalise
from imgrec.embedders.protocol import Prepared, Vectors
from imgrec.errors import ImgrecError, WeightsUnavailable

if TYPE_CHECKING:
    from torch import nn

SIDE = 224


@dataclass(frozen=True)
class Network:
    """A model as loaded, ending in a map of features that is averaged, or in features.

    ``mean`` and ``std``, of red, green and blue from 0 to 1, are those its weights were trained
    with; ``transform``, from a picture to a float32 input, has them applied already. ``frame``:
    what that transform shows, where it is known.
    """

    features: nn.Module
    mean: Colour = (0.0, 0.0, 0.0)
    std: Colour = (1.0, 1.0, 1.0)
    transform: Callable[[Image.Image], Prepared] | None = None
    frame: Frame | None = None


@dataclass(frozen=True)
class Running:
    """A network as this process runs it; the model as loaded is let go of."""

    forward: Forward
    transform: Callable[[Image.Image], Prepared] | None = None
    frame: Frame | None = None


_networks: dict[str, Running] = {}
_lock = threading.Lock()


def network_of(version: str, load: Callable[[], Network]) -> Running:
    """Return this process's network of a version, loading it on first use.

    Torch must not be touched before a worker forks: its threads do not survive into the child.
    """
    with _lock:
        if version not in _networks:
            _set_threads()
            network = load()
            forward = _best_forward(network, version)
            _networks[version] = Running(forward, network.transform, network.frame)
        return _networks[version]


def embed_with(running: Running, inputs: Iterable[Prepared], *, dimensions: int) -> Vectors:
    """Return one unit row per input, (inputs, dimensions); NaN where there are no features.

    Inputs are (height, width, 3), all of one size and type, and consumed a few at a time.
    """
    _set_threads()  # again: torch counts them for each thread that calls it
    waiting = iter(inputs)
    parts = [np.empty((0, dimensions), dtype=np.float32)]
    while chunk := list(islice(waiting, running.forward.at_once)):
        parts.append(normalise(running.forward(np.stack(chunk))))
    if any(part.shape[1] != dimensions for part in parts):
        found = parts[-1].shape[1]
        raise ImgrecError(
            _("The model gives %(found)d dimensions where %(declared)d are declared.")
            % {"found": found, "declared": dimensions}
        )
    return np.concatenate(parts)


def map_with(running: Running, inputs: Iterable[Prepared]) -> NDArray[np.float32]:
    """Return what the rows of :func:`embed_with` are the mean of, before they become unit rows.

    (inputs, rows, columns, features), at least one; by the same pass. Raises ``NoFeatureMap``.
    """
    _set_threads()
    waiting, parts = iter(inputs), []
    while chunk := list(islice(waiting, running.forward.at_once)):
        parts.append(running.forward.map(np.stack(chunk)))
    return np.concatenate(parts)


def _best_forward(network: Network, version: str) -> Forward:
    """Return the forward pass this machine does best; the model is changed in place."""
    import torch

    example: Prepared = probing.pictures(SIDE)
    if network.transform:
        example = np.stack([network.transform(Image.fromarray(each)) for each in example])
    place = torch.device(_device())
    model = network.features.eval().requires_grad_(False).to(place)
    model = model.to(memory_format=torch.channels_last)
    plain = TorchForward(model, place, torch.float32, network.mean, network.std)
    plain = _folded(plain, example[:1])
    kind = _half(place)
    others: dict[str, Callable[[], TorchForward]] = {}
    if kind:
        others[str(kind)] = lambda: plain.in_half(kind)
    best: TorchForward = probing.fastest(plain, others, example, of=version)
    in_one_pass = {"one pass": lambda: replace(best, model=fuse(best.model))}
    if place.type != "cpu":
        in_one_pass = {}
    return probing.fastest(best, in_one_pass, example, of=version, most_time=1.1)


def _folded(plain: TorchForward, example: Prepared) -> TorchForward:
    """Return the forward pass without batch norms, or as it was where that is not the same."""
    folded = replace(plain, model=copy.deepcopy(plain.model))
    fold(folded.model, lambda: folded(example))
    same = np.allclose(normalise(folded(example)), normalise(plain(example)), atol=1e-4)
    return folded if same else plain


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _half(place: Any) -> Any:
    """Return the type of half precision worth a try on a device, or None."""
    import torch

    if place.type != "cpu":
        return torch.float16
    # Elsewhere bfloat16 is imitated so slowly that even the probe would take long.
    return torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else None


def _set_threads() -> None:
    try:
        import torch
    except ImportError as error:
        raise WeightsUnavailable(
            _('torch is not installed in this process: pip install "imgrec[worker]".')
        ) from error
    torch.set_num_threads(settings.torch_threads)
