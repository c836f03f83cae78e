"""Any model of the timm library, by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from PIL.Image import Image, fromarray

from imgrec.embedders import probing
from imgrec.embedders.framing import Frame, without_far_ends
from imgrec.embedders.networks import SIDE, Network, embed_with, map_with, network_of
from imgrec.embedders.protocol import Maps, Part, Prepared, Vectors
from imgrec.embedders.states import fill
from imgrec.embedders.weights import explain_file, read_verified
from imgrec.errors import NoFeatureMap, WeightsUnavailable

PREPROCESSING = 1


@dataclass(frozen=True)
class Timm:
    """A timm model with its own preprocessing, before its classifier.

    Needs ``pip install "imgrec[timm]"`` and real weights: either a file, ``weights`` with its
    ``sha256``, or ``pretrained=True`` and a name with timm's tag ("resnet50.a1_in1k"), which timm
    downloads. ``dimensions`` is declared so that a web process knows it without torch.
    """

    model: str
    dimensions: int = field(kw_only=True)
    weights: str | Path | None = field(default=None, kw_only=True)
    sha256: str | None = field(default=None, kw_only=True)
    pretrained: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if bool(self.weights) == self.pretrained:
            raise ImproperlyConfigured(
                f"Timm({self.model!r}) needs weights: a file with weights=..., sha256=..., "
                "or else pretrained=True. It never runs with random ones."
            )
        if self.weights and not self.sha256:
            raise ImproperlyConfigured(f"Timm({self.model!r}): give the sha256 of its weights.")
        if self.pretrained and "." not in self.model:
            raise ImproperlyConfigured(
                f"Timm({self.model!r}): name the pretrained weights too, like "
                "'resnet50.a1_in1k'; which ones timm takes otherwise changes with its version."
            )

    @property
    def name(self) -> str:
        """``timm:`` and the model's name."""
        return f"timm:{self.model}"

    @property
    def version(self) -> str:
        """Name, digest of the weights or "pretrained", version of the preprocessing."""
        source = "pretrained" if self.pretrained else str(self.sha256)[:12].lower()
        return f"{self.name}-{source}-p{PREPROCESSING}"

    def available(self) -> str | None:
        """Return None when the weights are on this machine, else how to get them."""
        if self.weights:
            return explain_file(Path(self.weights), sha256=str(self.sha256))
        return None if _is_cached(self.model) else self._ways_out()

    def embed(self, pictures: Sequence[Image], /) -> Vectors:
        """Return unit rows, float32, (pictures, dimensions). Raises ``WeightsUnavailable``."""
        running = network_of(self.version, self._load)
        transform: Any = running.transform
        return embed_with(running, map(transform, pictures), dimensions=self.dimensions)

    def feature_map(self, inputs: Sequence[Image], /) -> Maps:
        """Return what the rows of pictures are the mean of, from the same network.

        Raises ``NoFeatureMap`` for models that do more than average.
        """
        running = network_of(self.version, self._load)
        transform: Any = running.transform
        return map_with(running, map(transform, inputs))

    def seen(self, width: int, height: int, /) -> Part:
        """Return the part of a picture of that size that the transform shows; loads the model."""
        frame = network_of(self.version, self._load).frame
        if frame is None:
            raise NoFeatureMap
        return frame.seen(width, height)

    def _load(self) -> Network:
        data = read_verified(Path(self.weights), sha256=str(self.sha256)) if self.weights else None
        model = self._create()
        if data is not None:
            classifier = model.default_cfg.get("classifier") or ()
            names = (classifier,) if isinstance(classifier, str) else tuple(classifier)
            prefixes = tuple(f"{each}." for each in names)
            fill(model, data, encoder=self.name, classifier=prefixes)
        data_room: Any = import_module("timm.data")
        config = data_room.resolve_model_data_config(model)
        transform = data_room.create_transform(**config, is_training=False)

        def transformed(picture: Image) -> Prepared:
            pixels: Prepared = transform(without_far_ends(picture)).permute(1, 2, 0).numpy()
            return pixels

        features = _to_map(model.eval(), transformed)
        return Network(features, transform=transformed, frame=_frame_of(config))

    def _create(self) -> Any:
        try:
            import timm
        except ImportError as error:
            raise WeightsUnavailable(_no_timm()) from error
        try:
            return timm.create_model(self.model, pretrained=self.pretrained, num_classes=0)
        except (OSError, RuntimeError, ValueError) as error:
            raise WeightsUnavailable(f"{self._ways_out()} ({error})") from error

    def _ways_out(self) -> str:
        return _(
            "The pretrained weights of %(model)s are not on this machine. Let the worker reach "
            "huggingface.co, or copy them into its cache, or give a file: "
            "Timm(..., weights=..., sha256=...)."
        ) % {"model": self.model}


def _to_map(model: Any, transform: Callable[[Image], Prepared]) -> Any:
    """Return the model up to its last map, or as it is where rows are not the mean of that."""
    import torch

    class ToMap(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = model

        def forward(self, batch: Any) -> Any:
            return self.network.forward_features(batch)

    pixels = transform(fromarray(probing.pictures(SIDE)[0]))
    batch = torch.from_numpy(pixels)[None].permute(0, 3, 1, 2)
    with torch.inference_mode():
        rows, features = model(batch), model.forward_features(batch)
    if features.dim() != 4 or features.shape[1] != rows.shape[1]:
        return model
    is_mean = torch.allclose(features.mean(dim=(2, 3)), rows, rtol=1e-3, atol=1e-5)
    return ToMap() if is_mean else model


def _frame_of(config: dict[str, Any]) -> Frame | None:
    """Return the square that timm's transform shows, or None where it may show another part."""
    _colours, height, width = config["input_size"]
    if height != width or config.get("crop_mode", "center") != "center":
        return None
    return Frame(side=int(height / config["crop_pct"]), crop=height)


def _no_timm() -> str:
    return _('timm is not installed here: pip install "imgrec[timm]".')


def _is_cached(model: str) -> bool:
    """Say whether the Hugging Face cache holds the model, without importing its library."""
    home = os.environ.get("HF_HOME", "~/.cache/huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()
    return any((hub / f"models--timm--{model}").glob("snapshots/*/*"))
