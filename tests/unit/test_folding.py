"""A network without its batch norms computes the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imgrec.embedders import networks, probing
from imgrec.embedders.folding import fold
from imgrec.embedders.forward import TorchForward
from imgrec.embedders.networks import Network, network_of

torch = pytest.importorskip("torch")
nn = torch.nn


def norm(channels: int, kind: Any = nn.BatchNorm2d) -> Any:
    """A batch norm that has seen data."""
    made = kind(channels)
    for values in (made.weight, made.bias, made.running_mean):
        nn.init.normal_(values)
    nn.init.uniform_(made.running_var, 0.5, 2)
    return made


class Swapped(nn.BatchNorm2d):  # type: ignore[misc]
    """A subclass does more than a batch norm: it must stay."""

    def forward(self, batch: Any) -> Any:
        return super().forward(batch).flip(1)


class Beside(nn.Module):  # type: ignore[misc]
    """The convolution's output is also used beside its batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), norm(4)

    def forward(self, batch: Any) -> Any:
        found = self.convolution(batch)
        return found + self.norm(found)


def shared() -> Any:
    convolution = nn.Conv2d(3, 3, 3, padding=1)
    return nn.Sequential(convolution, norm(3), nn.ReLU(), convolution, norm(3))


MODELS = {
    "a pair": (lambda: nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), norm(4), nn.ReLU()), 0),
    "depthwise": (lambda: nn.Sequential(nn.Conv2d(3, 6, 3, groups=3), norm(6)), 0),
    "nested": (lambda: nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3)), norm(4)), 0),
    "norm first": (lambda: nn.Sequential(norm(3), nn.Conv2d(3, 4, 3)), 1),
    "something between": (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), norm(4)), 1),
    "a subclass": (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), norm(4, Swapped)), 1),
    "shared": (shared, 2),
}


@pytest.mark.parametrize("name", MODELS)
def test_what_follows_a_convolution_is_folded_and_nothing_else(name: str) -> None:
    make, left = MODELS[name]
    model, batch = make().eval(), torch.randn(2, 3, 9, 9)
    with torch.inference_mode():
        before = model(batch)
        fold(model, lambda: model(batch))
        assert torch.allclose(model(batch), before, atol=1e-4)
    assert sum(isinstance(each, nn.BatchNorm2d) for each in model.modules()) == left
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in model.modules())


def test_a_fold_that_would_change_the_features_is_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(networks, "_networks", {})
    monkeypatch.setattr(networks, "_half", lambda _place: None)
    model = nn.Sequential(Beside(), nn.AdaptiveAvgPool2d(1))
    running = network_of("beside", lambda: Network(model))
    assert isinstance(running.forward, TorchForward)
    assert sum(isinstance(each, nn.BatchNorm2d) for each in running.forward.model.modules()) == 1


def test_pixels_are_normalised_as_the_weights_expect() -> None:
    inputs = probing.pictures(4)
    forward = TorchForward(
        nn.Flatten(), torch.device("cpu"), torch.float32, (0.5, 0.4, 0.3), (0.1, 0.2, 0.3)
    )
    expected = (inputs / 255 - [0.5, 0.4, 0.3]) / [0.1, 0.2, 0.3]
    rows = forward(inputs)
    assert rows.dtype == np.float32
    assert np.allclose(rows, expected.transpose(0, 3, 1, 2).reshape(len(inputs), -1), atol=1e-5)
    ready = expected.astype(np.float32)
    assert np.allclose(forward(ready), rows, atol=1e-5)
