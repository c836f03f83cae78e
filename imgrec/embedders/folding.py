"""Batch norms folded into the convolutions before them: the same function, with less to compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn


def fold(model: nn.Module, run: Callable[[], object]) -> None:
    """Fold each batch norm that follows a convolution into it, in place.

    Which follow which is seen while ``run`` runs the model, whatever its code looks like. The model
    has to be in evaluation mode.
    """
    import torch
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    with torch.no_grad():
        for convolution, norm in _pairs(model, run):
            made_of: Any = [model.get_submodule(name) for name in (convolution, norm)]
            fused: Any = fuse_conv_bn_eval(*made_of)
            model.set_submodule(convolution, fused)
            model.set_submodule(norm, torch.nn.Identity())


def _pairs(model: nn.Module, run: Callable[[], object]) -> list[tuple[str, str]]:
    """Return the names of convolutions, each with the batch norm that its output goes into."""
    import torch

    kept, makers, pairs, handles = [], {}, [], []

    def made(name: str) -> Any:
        def hook(_module: Any, _inputs: Any, output: Tensor) -> None:
            kept.append(output)  # so that no other tensor gets its id
            makers[id(output)] = name

        return hook

    def taken(name: str) -> Any:
        def hook(_module: Any, inputs: tuple[Tensor, ...]) -> None:
            if id(inputs[0]) in makers:
                pairs.append((makers.pop(id(inputs[0])), name))

        return hook

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            handles.append(module.register_forward_hook(made(name)))
        elif type(module) is torch.nn.BatchNorm2d:  # a subclass may do more
            handles.append(module.register_forward_pre_hook(taken(name)))
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return _once(pairs)


def _once(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Keep the pairs whose modules run once: one that is shared serves others, too."""
    used = [name for pair in pairs for name in pair]
    return [pair for pair in pairs if used.count(pair[0]) == used.count(pair[1]) == 1]
