"""All metrics in the format of Prometheus: the shop's facts, and what processes counted.

Facts are read from the database at each scrape, so they are the same whichever process answers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from django.db import Error
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from imgrec.conf import settings
from imgrec.health import Health, examine
from imgrec.models import Tally

CONTENT_TYPE = CONTENT_TYPE_LATEST
What = Tally.What
# What becomes of a photo; the other kinds have metrics of their own.
OUTCOMES = (What.EMBEDDED, What.UNCHANGED, What.REMOVED, What.FAILED, What.EXCLUDED)
AGES = {
    "oldest_waiting_seconds": "Since when the oldest job waits; 0: none does.",
    "last_progress_seconds": "Since a worker brought a photo or a list forward.",
    "last_sweep_seconds": "Since a worker compared the tables with the shop's rows.",
}
COUNTS = {
    What.LISTED: ("imgrec_lists_followed", "Photos that all lists have followed."),
    What.SWEEPS: ("imgrec_sweeps", "Comparisons of the tables with the shop's rows."),
    What.ERRORS: ("imgrec_work_errors", "Times a worker left a space because of an error."),
}


def render() -> bytes:
    """Return the text of a scrape. Without a database: what processes counted, and that."""
    registry = CollectorRegistry()
    registry.register(Facts())
    registry.register(Counted())
    return generate_latest(registry)


class Facts(Collector):
    """What the database knows."""

    def collect(self) -> Iterator[Metric]:
        """Yield every fact, or only that there is no database."""
        answers = GaugeMetricFamily("imgrec_database_up", "Whether the database answers.")
        try:
            found = examine()
        except Error:
            answers.add_metric([], 0)
            yield answers
            return
        answers.add_metric([], 1)
        yield answers
        yield from (_healthy(found), _jobs(found), _reasons(found), _outcomes(found))
        yield from _ages(found)
        yield from _counts(found)


class Counted(Collector):
    """What processes counted: all that share a folder, or this one."""

    def collect(self) -> Iterator[Metric]:
        """Yield ours; a shop's own metrics have an endpoint of its own."""
        registry = REGISTRY
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            together: Any = multiprocess.MultiProcessCollector
            together(registry)
        yield from (each for each in registry.collect() if each.name.startswith("imgrec_"))


def _healthy(found: list[Health]) -> Metric:
    metric = GaugeMetricFamily("imgrec_healthy", "Whether work goes on.", labels=["space"])
    for each in found:
        metric.add_metric([each.label], not each.problems(after=settings.stalled_seconds))
    return metric


def _jobs(found: list[Health]) -> Metric:
    metric = GaugeMetricFamily("imgrec_jobs", "Jobs by state.", labels=["space", "state"])
    for each in found:
        for state, count in each.jobs.items():
            metric.add_metric([each.label, state], count)
    return metric


def _reasons(found: list[Health]) -> Metric:
    text = "Photos that failed, or wait for something other than their turn."
    metric = GaugeMetricFamily("imgrec_troubles", text, labels=["space", "state", "reason"])
    for each in found:
        for state in ("failed", "waiting"):
            for reason, count in getattr(each, f"{state}_because").items():
                metric.add_metric([each.label, state, reason], count)
    return metric


def _outcomes(found: list[Health]) -> Metric:
    text = "Photos that workers have done, by what became of them."
    metric = CounterMetricFamily("imgrec_photos", text, labels=["space", "outcome"])
    for each in found:
        for what in OUTCOMES:
            metric.add_metric([each.label, what.value], each.done[what.value])
    return metric


def _ages(found: list[Health]) -> Iterator[Metric]:
    for name, text in AGES.items():
        metric = GaugeMetricFamily(f"imgrec_{name}", text, labels=["space"])
        for each in found:
            seconds = getattr(each, name)
            if seconds is not None or name == "oldest_waiting_seconds":
                metric.add_metric([each.label], seconds or 0)
        yield metric


def _counts(found: list[Health]) -> Iterator[Metric]:
    for what, (name, text) in COUNTS.items():
        metric = CounterMetricFamily(name, text, labels=["space"])
        for each in found:
            metric.add_metric([each.label], each.done[what.value])
        yield metric
