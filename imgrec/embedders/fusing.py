"""A convolution, what is added to its output and the ReLU after that, computed in one pass.

oneDNN, which computes torch's convolutions on a processor, can do all three while the output is in
the cache, with weights laid out once instead of at each call. torch offers it to its compiler only,
which needs a C++ compiler where the shop runs; so its operators are called here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn
    from torch.fx import GraphModule, Node


def fuse(model: nn.Module) -> nn.Module:
    """Return a copy that computes the same, for float32 or bfloat16 inputs on a processor.

    Raises ``RuntimeError`` where torch cannot follow the model's code or lacks the operators.
    """
    from torch import fx, nn

    try:
        traced = fx.symbolic_trace(model)
        for node in _of_kind(traced, nn.Identity):  # what folding leaves of a batch norm
            node.replace_all_uses_with(node.args[0])
            traced.graph.erase_node(node)
        for node in _of_kind(traced, nn.Conv2d):
            _fuse_one(traced, node)
    except (AttributeError, TypeError, ValueError) as error:
        raise RuntimeError(str(error)) from error
    traced.graph.eliminate_dead_code()
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced


def _of_kind(traced: GraphModule, kind: type[nn.Module]) -> list[Any]:
    """Return the calls of modules of exactly that kind."""
    calls = [node for node in traced.graph.nodes if node.op == "call_module"]
    return [node for node in calls if type(traced.get_submodule(node.target)) is kind]


def _fuse_one(traced: GraphModule, node: Node) -> None:
    """Take what follows a convolution into it."""
    convolution: Any = traced.get_submodule(str(node.target))
    if convolution.padding_mode != "zeros" or isinstance(convolution.padding, str):
        return
    last, added = node, None
    add = _only_user(node)
    # the operator adds for ordinary convolutions and ordinary ReLUs only
    if add is not None and _is_sum(add) and convolution.groups == 1:
        others = [each for each in add.args if each is not node]
        if len(others) == 1 and _top(traced, _only_user(add)) == float("inf"):
            last, added = add, others[0]
    relu = _only_user(last)
    top = _top(traced, relu)
    if relu is not None and top is not None:
        last = relu
    name = f"{node.name}_fused"  # a convolution may be called at several places
    traced.add_submodule(name, _one_pass(convolution, top))
    with traced.graph.inserting_before(last):
        inputs: Any = (node.args[0],) if added is None else (node.args[0], added)
        last.replace_all_uses_with(traced.graph.call_module(name, inputs))
    traced.graph.erase_node(last)


def _only_user(node: Node) -> Node | None:
    return next(iter(node.users)) if len(node.users) == 1 else None


def _is_sum(node: Node) -> bool:
    import torch

    sums: tuple[Any, ...] = (operator.add, operator.iadd, torch.add)
    return node.op == "call_function" and node.target in sums and not node.kwargs


def _top(traced: GraphModule, node: Node | None) -> float | None:
    """Return where a ReLU cuts off: infinity, or 6 for ReLU6; None: it is not one."""
    import torch

    if node is None:
        return None
    what: Any = node.target
    if node.op == "call_module":
        what = type(traced.get_submodule(str(node.target)))
    functional = torch.nn.functional
    if what in (torch.nn.ReLU, torch.relu, functional.relu):
        return float("inf")
    return 6.0 if what in (torch.nn.ReLU6, functional.relu6) else None


def _one_pass(convolution: nn.Conv2d, top: float | None) -> nn.Module:
    import torch

    reorder: Callable[..., Any] = torch.ops.mkldnn._reorder_convolution_weight
    compute: Any = torch.ops.mkldnn._convolution_pointwise
    shape = [list(convolution.padding), list(convolution.stride), list(convolution.dilation)]
    how = [*shape, convolution.groups]
    after: tuple[str, list[float]] = ("none", [])
    if top is not None:
        after = ("hardtanh", [0.0, top]) if top < float("inf") else ("relu", [])

    class OnePass(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight: Any = convolution.weight
            self.bias = convolution.bias
            self.is_laid_out = False

        def forward(self, inputs: Any, added: Any = None) -> Any:
            if not self.is_laid_out:
                laid_out = reorder(self.weight.detach(), *how, list(inputs.shape))
                del self.weight
                self.weight, self.is_laid_out = laid_out, True
            if added is None:
                return compute(inputs, self.weight, self.bias, *how, *after, "")
            sums = ("add", 1.0, *after, "")
            return compute.binary(inputs, added, self.weight, self.bias, *how, *sums)

    return OnePass()
