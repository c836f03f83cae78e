"""What a process counts of itself for Prometheus, where ``IMGREC["metrics"]`` says so.

Only what nobody could ask the database: how pages were answered. These go to the default
registry of ``prometheus_client``, which adds several processes up by ``PROMETHEUS_MULTIPROC_DIR``.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

from imgrec.conf import settings
from imgrec.signals import left_out, searched

# From a stored list in a small shop to a live search that is given up.
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


def is_installed() -> bool:
    """Return whether the extra ``metrics`` is."""
    return find_spec("prometheus_client") is not None


def connect() -> None:
    """Count from now on, if the setting says so and it can be done."""
    if settings.metrics and is_installed():
        searched.connect(_count_search, dispatch_uid="imgrec.metrics")
        left_out.connect(_count_error, dispatch_uid="imgrec.metrics")


@cache
def _metrics() -> tuple[Any, Any, Any]:
    """Return the metrics, made on first use: after a server has forked its processes."""
    from prometheus_client import Counter, Histogram

    return (
        Histogram(
            "imgrec_search_seconds",
            "Searches for similar products, by the way each took.",
            ["space", "way"],
            buckets=SECONDS,
        ),
        Counter(
            "imgrec_short_lists",
            "Searches that read a stored list with too few left, and went on live.",
            ["space"],
        ),
        Counter(
            "imgrec_left_out",
            "Pages served without their list because of an error.",
            ["error"],
        ),
    )


def _count_search(sender: Any, *, space: str, way: str, **told: Any) -> None:
    searches, short_lists, _errors = _metrics()
    searches.labels(space, way).observe(told["seconds"])
    if told["short"]:
        short_lists.labels(space).inc()


def _count_error(sender: type[Exception], **told: Any) -> None:
    _searches, _short_lists, errors = _metrics()
    errors.labels(sender.__name__).inc()
