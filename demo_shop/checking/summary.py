"""What the check found, and whether that is all right."""

from __future__ import annotations

from typing import Any

MOST_PAGE_QUERIES = 2
MOST_SECONDS_TO_LIST = 3.0


def problems_of(summary: dict[str, Any]) -> list[str]:
    """Sentences on everything that is not as it should be."""
    found = [*_states(summary), *_pages(summary), *_crash(summary)]
    for name in ("visibility", "photo_search"):
        found += [
            f"{name}: {what} is not so"
            for what, holds in (summary[name] or {}).items()
            if not holds
        ]
    return found


def _states(summary: dict[str, Any]) -> list[str]:
    states, products = summary["states"], summary["products"]
    found = []
    if sum(states.values()) != products:
        found.append(f"the states add up to {sum(states.values())}, not to {products} products")
    settled = sum(states.get(name, 0) for name in ("ready", "failed", "excluded", "no_photo"))
    if unsettled := sum(states.values()) - settled:
        found.append(f"{unsettled} products are neither ready nor failed")
    if sum(summary["failures"].values()) != states.get("failed", 0) or "" in summary["failures"]:
        found.append("some failures have no reason")
    if products and not states.get("ready", 0):
        found.append("no product is ready")
    return found


def _pages(summary: dict[str, Any]) -> list[str]:
    found = []
    queries, times = summary["page_queries"], summary["photo_to_list_seconds"]
    if queries is not None and queries > MOST_PAGE_QUERIES:
        found.append(f"the tag makes {queries} SELECTs, more than {MOST_PAGE_QUERIES}")
    if times["n"] and times["p95"] > MOST_SECONDS_TO_LIST:
        found.append(f"a changed photo takes {times['p95']} s, more than {MOST_SECONDS_TO_LIST}")
    if summary["torch_in_web_process"]:
        found.append("the web process has loaded torch")
    return found


def _crash(summary: dict[str, Any]) -> list[str]:
    found = []
    kill = summary["kill"]
    if kill and kill["lists_right_after"] != kill["photos"]:
        found.append("after the kill, some products do not show the look-alikes of their photo")
    if summary["worker_restarts"]:
        found.append(
            f"the worker's processes ended {summary['worker_restarts']} times by themselves"
        )
    return found
