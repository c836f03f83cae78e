"""Any timm model by name, but never with random weights."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.exceptions import ImproperlyConfigured
from PIL import Image

from imgrec.embedders import Timm, networks
from imgrec.errors import NoFeatureMap, WeightsUnavailable

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")

MODEL, DIMENSIONS = "test_resnet", 96
DIGEST = "ab" * 32


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "_networks", {})
    monkeypatch.setattr(networks, "_half", lambda _place: None)


@pytest.fixture(params=["torch", "safetensors"])
def seeded(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Any, Path, str]:
    with torch.random.fork_rng():
        torch.manual_seed(20)
        model = timm.create_model(MODEL, pretrained=False).eval()
    path = tmp_path / "weights"
    if request.param == "torch":
        torch.save(model.state_dict(), path)
    else:
        pytest.importorskip("safetensors.torch").save_file(model.state_dict(), path)
    return model, path, sha256(path.read_bytes()).hexdigest()


def test_vectors_equal_timms_own(seeded: tuple[Any, Path, str]) -> None:
    model, path, digest = seeded
    picture = Image.effect_noise((300, 200), 90).convert("RGB")
    embedder = Timm(MODEL, dimensions=DIMENSIONS, weights=path, sha256=digest)
    (row,) = embedder.embed([picture])
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    with torch.inference_mode():
        features = model.forward_features(transform(picture)[None])
        expected = model.forward_head(features, pre_logits=True)[0].numpy()
    assert np.allclose(row, expected / np.linalg.norm(expected), atol=1e-5)
    assert embedder.version == f"timm:{MODEL}-{digest[:12]}-p1"
    assert embedder.available() is None


def test_its_map_is_what_the_row_is_the_mean_of(seeded: tuple[Any, Path, str]) -> None:
    _model, path, digest = seeded
    picture = Image.effect_noise((300, 200), 90).convert("RGB")
    embedder = Timm(MODEL, dimensions=DIMENSIONS, weights=path, sha256=digest)
    (row,), (found,) = embedder.embed([picture]), embedder.feature_map([picture])
    assert found.ndim == 3
    assert found.shape[2] == DIMENSIONS
    mean = found.mean(axis=(0, 1))
    assert np.allclose(row, mean / np.linalg.norm(mean), atol=1e-4)
    left, top, right, bottom = embedder.seen(300, 200)
    assert right - left == pytest.approx((bottom - top) * 200 / 300, abs=0.02)
    assert (left + right, top + bottom) == pytest.approx((1, 1), abs=0.02)


def test_a_model_that_does_more_than_average_has_no_map(tmp_path: Path) -> None:
    model = timm.create_model("test_vit", pretrained=False).eval()
    path = tmp_path / "weights"
    torch.save(model.state_dict(), path)
    digest = sha256(path.read_bytes()).hexdigest()
    embedder = Timm("test_vit", dimensions=64, weights=path, sha256=digest)
    with pytest.raises(NoFeatureMap):
        embedder.feature_map([Image.new("RGB", (90, 90), "teal")])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weights": "a.pth"},
        {"weights": "a.pth", "sha256": DIGEST, "pretrained": True},
        {"pretrained": True},  # a name without its tag
    ],
)
def test_random_or_unnamed_weights_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured, match="weights"):
        Timm(MODEL, dimensions=DIMENSIONS, **options)


def test_weights_of_another_model_are_refused(seeded: tuple[Any, Path, str]) -> None:
    _, path, digest = seeded
    with pytest.raises(WeightsUnavailable, match="does not fit"):
        Timm("test_vit", dimensions=64, weights=path, sha256=digest).embed(
            [Image.new("RGB", (9, 9))]
        )


def test_pretrained_weights_are_looked_for_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    embedder = Timm("test_resnet.r160_in1k", dimensions=DIMENSIONS, pretrained=True)
    assert embedder.version == "timm:test_resnet.r160_in1k-pretrained-p1"
    assert "huggingface.co" in str(embedder.available())
    snapshot = tmp_path / "models--timm--test_resnet.r160_in1k" / "snapshots" / "1"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").touch()
    assert embedder.available() is None


def test_pretrained_weights_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*args: object, **kwargs: object) -> None:
        raise OSError("offline")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(WeightsUnavailable, match=r"huggingface.*offline"):
        Timm("test_resnet.r160_in1k", dimensions=DIMENSIONS, pretrained=True).embed([])
