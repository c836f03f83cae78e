"""The default encoder against torchvision's own forward pass and preprocessing.

Seeded weights stand in for the published ones: the arithmetic is the same, no network is needed.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgrec.embedders import ResNet18, downloading, forward, networks, probing
from imgrec.errors import ImgrecError, WeightsUnavailable

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path, str]:
    """torchvision's model with seeded weights, their file, and its sha256."""
    with torch.random.fork_rng():
        torch.manual_seed(20)
        model = models.resnet18(weights=None).eval()
    path = tmp_path_factory.mktemp("weights") / "seeded.pth"
    torch.save(model.state_dict(), path)
    return model, path, sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def loaded() -> dict[str, networks.Running]:
    """What the tests of this file have loaded: each time takes seconds."""
    return {}


@pytest.fixture(autouse=True)
def only_these(monkeypatch: pytest.MonkeyPatch, loaded: dict[str, networks.Running]) -> None:
    monkeypatch.setattr(networks, "_networks", loaded)
    monkeypatch.setattr(networks, "_half", lambda _place: None)


@pytest.fixture
def nothing_loaded(monkeypatch: pytest.MonkeyPatch, only_these: None) -> None:
    monkeypatch.setattr(networks, "_networks", {})


def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(7)
    sizes = [(300, 260), (224, 224), (90, 400), (640, 480), (1, 1)]
    return [
        Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        for width, height in sizes
    ]


def network_of(embedder: ResNet18) -> Any:
    return networks.network_of(embedder.version, embedder._load)


def by_torchvision(model: Any) -> Any:
    transforms = models.ResNet18_Weights.IMAGENET1K_V1.transforms()
    body = torch.nn.Sequential(*list(model.children())[:-1])
    with torch.inference_mode():
        rows = body(torch.stack([transforms(each) for each in pictures()])).flatten(1).numpy()
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_vectors_equal_torchvisions_own(seeded: tuple[Any, Path, str]) -> None:
    model, path, digest = seeded
    rows = ResNet18(path, sha256=digest).embed(pictures())
    assert rows.shape == (5, 512)
    assert rows.dtype == np.float32
    assert (rows * by_torchvision(model)).sum(axis=1).min() > 0.99999


def test_half_precision_is_only_taken_where_it_means_the_same(
    seeded: tuple[Any, Path, str], monkeypatch: pytest.MonkeyPatch, nothing_loaded: None
) -> None:
    monkeypatch.setattr(networks, "_half", lambda _place: torch.bfloat16)
    monkeypatch.setattr(probing, "MOST_TIME", float("inf"))
    model, path, digest = seeded
    embedder = ResNet18(path, sha256=digest)
    rows = embedder.embed(pictures())
    assert network_of(embedder).forward.dtype == torch.bfloat16
    assert (rows * by_torchvision(model)).sum(axis=1).min() > 0.9995
    monkeypatch.setattr(networks, "_networks", {})
    monkeypatch.setattr(probing, "LEAST_COSINE", 1.1)
    assert network_of(embedder).forward.dtype == torch.float32


def test_the_order_is_kept_beyond_one_batch(
    seeded: tuple[Any, Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path, digest = seeded
    embedder = ResNet18(path, sha256=digest)
    whole = embedder.embed(pictures())
    monkeypatch.setattr(forward, "AT_ONCE_ON_CPU", 2)
    assert np.allclose(embedder.embed(pictures()[::-1])[::-1], whole, atol=1e-5)
    assert embedder.embed([]).shape == (0, 512)


def test_embedding_in_two_stages_is_the_same(seeded: tuple[Any, Path, str]) -> None:
    _, path, digest = seeded
    embedder = ResNet18(path, sha256=digest)
    prepared = [embedder.prepare(each) for each in pictures()]
    assert {(each.dtype.name, each.shape) for each in prepared} == {("uint8", (224, 224, 3))}
    assert np.array_equal(embedder.embed_prepared(prepared), embedder.embed(pictures()))
    assert embedder.embed_prepared([]).shape == (0, 512)


def test_slivers_are_embedded_in_little_memory(seeded: tuple[Any, Path, str]) -> None:
    _, path, digest = seeded
    slivers = [Image.new("RGB", size, "teal") for size in ((4000, 1), (1, 4000))]
    assert np.isfinite(ResNet18(path, sha256=digest).embed(slivers)).all()


def test_a_model_is_loaded_once_for_all_threads_and_instances(
    seeded: tuple[Any, Path, str], monkeypatch: pytest.MonkeyPatch, nothing_loaded: None
) -> None:
    _, path, digest = seeded
    loads: list[str] = []
    load = ResNet18._load

    def counting(self: ResNet18) -> networks.Network:
        loads.append(self.version)
        return load(self)

    monkeypatch.setattr(ResNet18, "_load", counting)

    def work() -> None:
        ResNet18(path, sha256=digest).embed(pictures()[:1])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [ResNet18(path, sha256=digest).version]


def test_the_model_is_ready_for_inference_only(seeded: tuple[Any, Path, str]) -> None:
    _, path, digest = seeded
    embedder = ResNet18(path, sha256=digest)
    embedder.embed(pictures()[:1])
    assert not network_of(embedder).forward.model.training


def test_every_thread_computes_with_as_many_threads_as_set(
    seeded: tuple[Any, Path, str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMGREC = {"torch_threads": 1}
    _, path, digest = seeded
    embedder, told = ResNet18(path, sha256=digest), []
    embedder.embed(pictures()[:1])

    def set_num_threads(count: int) -> None:
        told.append((threading.current_thread().name, count))

    # What torch answers is no proof: another thread's convolutions take all cores in spite of it.
    monkeypatch.setattr(torch, "set_num_threads", set_num_threads)
    thread = threading.Thread(target=embedder.embed, args=[pictures()[:1]], name="another")
    thread.start()
    thread.join()
    assert ("another", 1) in told


def test_a_changed_weights_file_is_refused(
    seeded: tuple[Any, Path, str], tmp_path: Path, nothing_loaded: None
) -> None:
    _, path, digest = seeded
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    changed = tmp_path / "changed.pth"
    changed.write_bytes(data)
    embedder = ResNet18(changed, sha256=digest)
    assert "sha256" in str(embedder.available())
    with pytest.raises(WeightsUnavailable, match="sha256"):
        embedder.embed(pictures())


def test_a_file_without_its_own_digest_must_be_the_published_one(
    seeded: tuple[Any, Path, str],
) -> None:
    with pytest.raises(WeightsUnavailable, match="f37072fd47e89c5e"):
        ResNet18(seeded[1]).embed(pictures())


def test_unreachable_weights_say_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_loaded: None
) -> None:
    def unreachable(*args: object, **kwargs: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(downloading, "_refused", {})
    monkeypatch.setattr(downloading, "urlopen", unreachable)
    assert "imgrec[lite]" in str(ResNet18().available())
    with pytest.raises(WeightsUnavailable, match="no route to host") as caught:
        ResNet18().embed(pictures())
    assert caught.value.code == "weights_unavailable"
    assert networks._networks == {}


@pytest.mark.parametrize("missing", ["fc.weight", "layer4.1.conv2.weight"])
def test_weights_that_leave_anything_random_are_refused(
    seeded: tuple[Any, Path, str], tmp_path: Path, missing: str
) -> None:
    state = {key: value for key, value in seeded[0].state_dict().items() if key != missing}
    path = tmp_path / "partial.pth"
    torch.save(state, path)
    with pytest.raises(WeightsUnavailable, match="does not fit"):
        ResNet18(path, sha256=sha256(path.read_bytes()).hexdigest()).embed(pictures())


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return Path.touch, (tmp_path / "touched",)  # type: ignore[return-value]

    path = tmp_path / "evil.pth"
    torch.save({"fc.weight": Evil()}, path)
    with pytest.raises(WeightsUnavailable, match="does not fit"):
        ResNet18(path, sha256=sha256(path.read_bytes()).hexdigest()).embed(pictures())
    assert not (tmp_path / "touched").exists()


def test_the_version_names_the_weights(seeded: tuple[Any, Path, str], settings: Any) -> None:
    _, path, digest = seeded
    assert ResNet18().version == "resnet18-f37072fd47e8-p2"
    assert ResNet18(path, sha256=digest).version == f"resnet18-{digest[:12]}-p2"
    settings.IMGREC = {"weights": {"resnet18": {"path": str(path), "sha256": digest}}}
    assert ResNet18().version == f"resnet18-{digest[:12]}-p2"


def test_wrong_dimensions_are_an_error(seeded: tuple[Any, Path, str]) -> None:
    _, path, digest = seeded
    embedder = ResNet18(path, sha256=digest)
    inputs = map(embedder.prepare, pictures())
    with pytest.raises(ImgrecError, match="512 dimensions where 100"):
        networks.embed_with(network_of(embedder), inputs, dimensions=100)


def test_pictures_without_features_are_nan_rows(seeded: tuple[Any, Path, str]) -> None:
    _, path, digest = seeded
    embedder = ResNet18(path, sha256=digest)
    running = network_of(embedder)
    features = running.forward.model
    zeros = torch.nn.Sequential(features, torch.nn.Threshold(1e9, 0))
    dead = replace(running, forward=replace(running.forward, model=zeros))
    inputs = map(embedder.prepare, pictures())
    assert np.isnan(networks.embed_with(dead, inputs, dimensions=512)).all()
