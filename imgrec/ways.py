"""How often each way to find look-alikes was taken, in this process."""

from __future__ import annotations

import time
from collections import Counter
from threading import Lock
from typing import Any

from imgrec.results import SimilarProducts
from imgrec.signals import searched

_taken: Counter[tuple[str, str]] = Counter()
_lock = Lock()


def taken() -> dict[tuple[str, str], int]:
    """Return how many searches this process has done, by ``(space, way)``."""
    with _lock:
        return dict(_taken)


def note(model: type[Any], found: SimilarProducts, started: float) -> None:
    """Count a search that began at ``started`` (``time.perf_counter()``), and tell who listens."""
    with _lock:
        _taken[found.space, found.way] += 1
    searched.send_robust(
        sender=model,
        space=found.space,
        way=found.way,
        short=found.short and found.indexed,
        eligible=found.eligible,
        seconds=time.perf_counter() - started,
    )
