"""From verified bytes to a model that holds exactly those weights."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from imgrec.errors import WeightsUnavailable

if TYPE_CHECKING:
    from torch import Tensor, nn


def fill(model: nn.Module, data: bytes, *, encoder: str, classifier: tuple[str, ...] = ()) -> None:
    """Load a state file, torch's or safetensors, into the model: every tensor, or an error.

    Tensors that the model lacks are ignored under the prefixes in ``classifier`` only. Raises
    ``WeightsUnavailable``: a model that kept some random tensors would answer with nonsense.
    """
    try:
        state = {
            key: value
            for key, value in _state_in(data).items()
            if key in model.state_dict() or not key.startswith(classifier or ("\0",))
        }
        model.load_state_dict(state)
    except (RuntimeError, UnpicklingError, ValueError, TypeError, AttributeError) as error:
        raise WeightsUnavailable(
            _("The weights file does not fit the encoder %(encoder)s: %(error)s")
            % {"encoder": encoder, "error": str(error)[:500]}
        ) from error


def _state_in(data: bytes) -> Mapping[str, Tensor]:
    if data[8:9] == b"{":
        from safetensors.torch import load

        return load(data)
    import torch

    # weights_only: a weights file is a pickle, and a pickle is a program.
    state: Any = torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    nested = state.get("state_dict", state)
    return nested if isinstance(nested, Mapping) else {}
