"""Convolutions with what follows them in one pass: the same features, whatever the model's code."""

from __future__ import annotations

import operator
from typing import Any

import pytest

from imgrec.embedders.folding import fold
from imgrec.embedders.fusing import fuse

torch: Any = pytest.importorskip("torch")
nn: Any = torch.nn
functional: Any = torch.nn.functional


class Residual(nn.Module):
    """Sums before a ReLU, and convolutions that others need as they are."""

    def __init__(self, relu: Any, add: Any) -> None:
        super().__init__()
        self.first = nn.Conv2d(8, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 8, 3, padding=1, stride=1)
        self.grouped = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.reflected = nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect")
        self.same = nn.Conv2d(8, 8, 3, padding="same")
        self.relu, self.add = relu, add

    def forward(self, x: Any) -> Any:
        one = self.relu(self.first(x))
        two = self.second(one)
        three = self.relu(self.add(self.grouped(two), two))
        four = self.relu(self.add(one, self.second(three)))
        return self.same(self.relu(self.reflected(four))) + self.first(four)


RELUS = [nn.ReLU(), nn.ReLU(inplace=True), nn.ReLU6(), torch.relu, functional.relu, nn.GELU()]
SUMS = [operator.add, torch.add, lambda a, b: a + 2 * b, lambda a, b: torch.add(a, b, alpha=3)]


def name_of(relu: Any) -> str:
    """Return the same name in every process: functions tell their address."""
    return str(relu) if isinstance(relu, nn.Module) else f"{relu.__module__}.{relu.__name__}"


def channels_last(*shape: int) -> Any:
    return torch.randn(shape).to(memory_format=torch.channels_last)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("add", range(len(SUMS)))
@pytest.mark.parametrize("relu", RELUS, ids=name_of)
def test_the_same_features(relu: Any, add: int, dtype: Any) -> None:
    torch.manual_seed(1)
    model = Residual(relu, SUMS[add]).eval().requires_grad_(False).to(dtype)
    model = model.to(memory_format=torch.channels_last)
    fused = fuse(model)
    for count in (2, 1, 5):  # laid out for the first, used for all
        inputs = channels_last(count, 8, 16, 16).to(dtype)
        expected, found = model(inputs).float(), fused(inputs).float()
        near = 1e-4 if dtype == torch.float32 else 0.05 * float(expected.abs().max())
        assert torch.allclose(found, expected, atol=near)


def test_what_is_left_of_a_resnet() -> None:
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(1)
    model = models.resnet18(weights=None).eval().requires_grad_(False)
    inputs = channels_last(2, 3, 64, 64)
    before = model(inputs)
    fold(model, lambda: model(inputs))
    fused = fuse(model)
    kinds = {type(each).__name__ for each in fused.modules()}
    assert not kinds & {"Conv2d", "BatchNorm2d", "Identity", "ReLU"}
    assert torch.allclose(fused(inputs), before, atol=1e-3)
    assert any(isinstance(each, nn.Conv2d) for each in model.modules()), "the model is left alone"


def test_code_that_cannot_be_followed_is_refused() -> None:
    class Branching(nn.Module):
        def forward(self, x: Any) -> Any:
            return x if x.sum() > 0 else -x

    with pytest.raises(RuntimeError):
        fuse(Branching())


def test_operators_that_are_not_there_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.ops, "mkldnn", object())
    with pytest.raises(RuntimeError, match="_reorder_convolution_weight"):
        fuse(nn.Sequential(nn.Conv2d(3, 3, 1)))
