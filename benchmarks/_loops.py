"""What else turns photos into vectors, each in a process of its own with its own defaults.

Functions take the paths and return the seconds; models are loaded and warm before.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 32


@contextmanager
def a_process() -> Any:
    """Yield a function that runs others in one process that stays: models are loaded once."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        yield lambda work, *values: pool.apply(work, values)


def written_weights(folder: Path) -> tuple[Path, str]:
    """Write ResNet-18 weights of random values where torchvision looks; return path and sha256.

    They say nothing about pictures, and take exactly as long as the published ones.
    """
    import hashlib

    import torch
    from torchvision.models import resnet18

    torch.manual_seed(20)
    path = folder / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    path.parent.mkdir(parents=True)
    torch.save(resnet18(weights=None).state_dict(), path)
    os.environ["TORCH_HOME"] = str(folder)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def articles_loop(paths: list[Path]) -> float:
    """Open, torchvision's transforms, one forward pass: a picture at a time, eager float32."""
    return _one_by_one(_article()[1], paths)


def img2vec(paths: list[Path]) -> float:
    """img2vec-pytorch, a batch of opened pictures at a time."""
    return _batches(_img2vec(), paths)


def _one_by_one(embed: Callable[[Path], Any], paths: list[Path]) -> float:
    embed(paths[0])
    started_at = time.perf_counter()
    for path in paths:
        embed(path)
    return time.perf_counter() - started_at


def _batches(model: Any, paths: list[Path]) -> float:
    from PIL import Image

    model.get_vec([Image.open(paths[0]).convert("RGB")] * 2)
    started_at = time.perf_counter()
    for begin in range(0, len(paths), BATCH):
        pictures = [Image.open(path).convert("RGB") for path in paths[begin : begin + BATCH]]
        model.get_vec(pictures)
    return time.perf_counter() - started_at


@cache
def _article() -> tuple[Any, Callable[[Path], Any]]:
    import torch
    from PIL import Image
    from torchvision import transforms
    from torchvision.models import ResNet18_Weights, resnet18

    model = resnet18(weights=ResNet18_Weights.IMAGENET1K_V1).eval()
    model.fc = torch.nn.Identity()
    prepare = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )

    def embed(path: Path) -> Any:
        with torch.no_grad(), Image.open(path) as picture:
            return model(prepare(picture.convert("RGB")).unsqueeze(0)).numpy()

    return model, embed


@cache
def _img2vec() -> Any:
    from img2vec_pytorch import Img2Vec

    return Img2Vec(model="resnet18")


def torch_forward(repeats: int) -> float:
    """Return the seconds of a batch of 32 through torchvision's model, eager float32."""
    import torch

    model, batch = _article()[0], torch.from_numpy(_inputs())
    with torch.inference_mode():
        return _fastest(lambda: model(batch), repeats)


def openvino_forward(repeats: int) -> float:
    """Return the seconds of a batch of 32 through OpenVINO, in the precision it chooses."""
    compiled = _openvino()
    batch = _inputs()
    return _fastest(lambda: compiled([batch]), repeats)


@cache
def _openvino() -> Any:
    import openvino
    import torch

    example = torch.zeros(BATCH, 3, 224, 224)
    model = openvino.convert_model(_article()[0], example_input=example)
    return openvino.Core().compile_model(model, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})


def our_forward(repeats: int) -> tuple[float, float]:
    """Return the seconds and the processor's seconds of a batch of 32 through our encoder."""
    import django

    django.setup()
    from imgrec.spaces import all_spaces

    embedder: Any = all_spaces()[0].embedder
    random = np.random.default_rng(0)
    batch = list(random.integers(0, 256, (BATCH, 224, 224, 3), np.uint8))
    seconds = _fastest(lambda: embedder.embed_prepared(batch), repeats)
    began = time.process_time()
    for _ in range(repeats):
        embedder.embed_prepared(batch)
    return seconds, (time.process_time() - began) / repeats


def our_decoding(paths: list[Path]) -> float:
    """Return the processor's seconds of reading, decoding and preparing these photos."""
    import django

    django.setup()
    from imgrec.images import open_picture
    from imgrec.spaces import all_spaces

    embedder: Any = all_spaces()[0].embedder

    def decode(path: Path) -> None:
        embedder.prepare(open_picture(path.read_bytes(), short_side=embedder.decoded_side))

    decode(paths[0])
    began = time.process_time()
    for path in paths:
        decode(path)
    return time.process_time() - began


def _inputs() -> Any:
    return np.random.default_rng(0).normal(size=(BATCH, 3, 224, 224)).astype(np.float32)


def _fastest(work: Callable[[], Any], repeats: int) -> float:
    work()
    took = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)
