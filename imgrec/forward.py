"""The forward pass of a batch: whatever one picture does to an encoder harms no other."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from imgrec.embedders import Embedder
from imgrec.encoding import Inputs, embed
from imgrec.errors import WeightsUnavailable
from imgrec.time_limits import time_is_up
from imgrec.topk import Matrix
from imgrec.watchdog import watched

logger = logging.getLogger(__name__)


def embed_each(embedder: Embedder, inputs: Sequence[Inputs]) -> list[Matrix | Exception]:
    """Return each one's row, (dimensions,), or what went wrong with it.

    The batch is embedded as one; when that fails, each picture alone.
    Raises ``WeightsUnavailable``: then nothing is wrong with the pictures.
    """
    try:
        with watched():
            return list(embed(embedder, inputs))
    except WeightsUnavailable:
        raise
    except time_is_up():
        raise
    except Exception:  # broad: an encoder is anybody's code
        logger.exception("imgrec: %s failed on a batch, trying one by one", embedder.name)
    return [_embed_alone(embedder, each) for each in inputs]


def _embed_alone(embedder: Any, inputs: Inputs) -> Matrix | Exception:
    try:
        with watched():
            row: Matrix = embed(embedder, [inputs])[0]
    except time_is_up():
        raise
    except Exception as error:  # noqa: BLE001 - as above, and it becomes the job's reason
        return error
    return row
