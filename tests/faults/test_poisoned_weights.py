"""Weights that run code when loaded, in every wrapping: refused, though their digest is right."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgrec.embedders import Embedder, Fitted, ResNet18, Timm, networks
from imgrec.errors import WeightsUnavailable
from imgrec.testing import ColourGrid
from tests.faults.test_messages import Evil
from tests.pictures import picture

torch = pytest.importorskip("torch")


def _pickled(evil: Any) -> bytes:
    return pickle.dumps({"fc.weight": evil}, protocol=2)  # torch warns of newer ones


def _torch_zip(evil: Any) -> bytes:
    out = BytesIO()
    torch.save({"fc.weight": evil}, out)
    return out.getvalue()


def _torch_legacy(evil: Any) -> bytes:
    out = BytesIO()
    torch.save({"fc.weight": evil}, out, _use_new_zipfile_serialization=False)
    return out.getvalue()


def _whole_module(evil: Any) -> bytes:
    out = BytesIO()
    module = torch.nn.Linear(1, 1)
    module.evil = evil
    torch.save(module, out)
    return out.getvalue()


def _numpy_zip(evil: Any) -> bytes:
    out = BytesIO()
    np.savez(out, mean=np.array([evil], dtype=object), matrix=np.eye(2))
    return out.getvalue()


def _numpy_alone(evil: Any) -> bytes:
    out = BytesIO()
    np.save(out, np.array([evil], dtype=object), allow_pickle=True)
    return out.getvalue()


def _lone_array(evil: Any) -> bytes:
    out = BytesIO()
    np.save(out, np.eye(2))
    return out.getvalue()


WRAPPINGS = [
    _lone_array,
    _pickled,
    _torch_zip,
    _torch_legacy,
    _whole_module,
    _numpy_zip,
    _numpy_alone,
]
LOADERS: dict[str, Callable[[Path, str], Embedder]] = {
    "ResNet18": lambda path, digest: ResNet18(path, sha256=digest),
    "Timm": lambda path, digest: Timm("test_resnet", dimensions=96, weights=path, sha256=digest),
    "Fitted": lambda path, digest: Fitted(ColourGrid(), path, sha256=digest, dimensions=8),
}


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "_networks", {})


@pytest.mark.parametrize("wrapping", WRAPPINGS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("loader", LOADERS)
def test_nothing_in_them_runs(
    loader: str, wrapping: Callable[[Any], bytes], tmp_path: Path
) -> None:
    if loader == "Timm":
        pytest.importorskip("timm")
    touched, path = tmp_path / "touched", tmp_path / "weights"
    path.write_bytes(wrapping(Evil(touched)))
    embedder = LOADERS[loader](path, sha256(path.read_bytes()).hexdigest())
    with pytest.raises(WeightsUnavailable):
        embedder.embed([picture(0.1)])
    assert not touched.exists()


@pytest.mark.parametrize("wrapping", [_pickled, _torch_zip, _torch_legacy, _whole_module])
def test_they_would_run_where_pickles_are_loaded(
    wrapping: Callable[[Any], bytes], tmp_path: Path
) -> None:
    touched = tmp_path / "touched"
    data = wrapping(Evil(touched))
    if wrapping is _pickled:
        pickle.loads(data)  # noqa: S301 - our own
    else:
        torch.load(BytesIO(data), weights_only=False)
    assert touched.exists()


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_a_single_changed_byte_is_enough(place: int, tmp_path: Path) -> None:
    out = BytesIO()
    torch.save({"fc.weight": torch.zeros(1000)}, out)
    data = bytearray(out.getvalue())
    digest = sha256(data).hexdigest()
    data[place] ^= 1
    path = tmp_path / "weights"
    path.write_bytes(data)
    for make in LOADERS.values():
        embedder = make(path, digest)
        assert "is not the file it should be" in str(embedder.available())
        with pytest.raises(WeightsUnavailable, match="is not the file it should be"):
            embedder.embed([picture(0.1)])
