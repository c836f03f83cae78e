"""From pictures to vectors. The only room that may import torch, and only on first use.

An embedder is a small object that names a model, its version and its dimensions without loading
anything; the model itself is loaded once per process, by the first ``embed``. Pick one by its
dotted path in ``IMGREC["embedder"]``, or give a field an instance::

    ImageEmbeddingField(source="photo", embedder=EfficientNetLite0())
"""

from __future__ import annotations

from imgrec.embedders.efficientnet import EfficientNetLite0
from imgrec.embedders.fitted import Fitted
from imgrec.embedders.protocol import Embedder, Mapped, Staged
from imgrec.embedders.resnet import ResNet18
from imgrec.embedders.resolving import resolve
from imgrec.embedders.timm import Timm

__all__ = [
    "EfficientNetLite0",
    "Embedder",
    "Fitted",
    "Mapped",
    "ResNet18",
    "Staged",
    "Timm",
    "resolve",
]
