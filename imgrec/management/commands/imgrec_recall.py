"""``imgrec_recall``: how near to exact are live search and stored lists, on these products?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.exceptions import FieldError, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from imgrec import index_facts, recall
from imgrec.conf import settings
from imgrec.management.choosing import HELP, chosen_spaces
from imgrec.progress import Progress
from imgrec.recall import Measured, Trial
from imgrec.spaces import SpaceDefinition

EF_SEARCH = [40, 100, 200, 400]
# Space.recall is recall@10, in the admin and in the doctor.
SAVED_K = 10
HALVINGS = 11  # at most, from 1,000 values to one, and the first look


class Command(BaseCommand):
    """Measure recall, latency and plans; find the ``ef_search`` that reaches a target."""

    help = "Measure recall@k of live search (and --lists) against exact search."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a space, what to search for and how, and what to do with the answer."""
        parser.add_argument("model", nargs="?", help=HELP)
        parser.add_argument("-k", type=int, default=10, help="recall@k (default %(default)s)")
        parser.add_argument("--queries", type=int, default=100, help="products to search for")
        parser.add_argument("--seed", type=int, default=0, help="draws other products")
        parser.add_argument(
            "--filter",
            action="append",
            nargs="+",
            metavar="field=value",
            help="search among these products only; repeat it to measure several filters",
        )
        parser.add_argument("--ef-search", type=int, nargs="+", help=f"default {EF_SEARCH}")
        parser.add_argument("--lists", action="store_true", help="measure the stored lists, too")
        parser.add_argument("--target", type=float, help="find the ef_search of this recall")
        parser.add_argument("--save", action="store_true", help="have live searches use it")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure each space; end with an error when a target was not reached."""
        self._check(options)
        self.is_json = options["json"]
        told, missed = [], []
        for space in chosen_spaces(options["model"]):
            found = self._space(space, options)
            told.append(found)
            missed += [f"{space.label}: {found['missed']}"] if "missed" in found else []
        if self.is_json:
            self.stdout.write(json.dumps({"spaces": told}, indent=2))
        if missed:
            raise CommandError("\n".join(missed))

    def _check(self, options: dict[str, Any]) -> None:
        if options["k"] < 1 or options["queries"] < 1:
            raise CommandError("-k and --queries: 1 or more.")
        if any(not recall.LEAST_EF <= ef <= recall.MOST_EF for ef in options["ef_search"] or ()):
            raise CommandError(f"--ef-search: {recall.LEAST_EF} to {recall.MOST_EF}.")
        if options["target"] is not None and not 0 < options["target"] <= 1:
            raise CommandError("--target: more than 0, at most 1.")
        if options["save"] and (options["target"] is None or options["k"] != SAVED_K):
            raise CommandError(f"--save needs --target, and keeps recall@{SAVED_K}.")

    def _space(self, space: SpaceDefinition, options: dict[str, Any]) -> dict[str, Any]:
        keys = recall.seeds(space, options["queries"], seed=options["seed"])
        version, k = recall.served_version(space), options["k"]
        found: dict[str, Any] = {"label": space.label, "version": version, "queries": len(keys)}
        found |= {"k": k, "index": index_facts.examine(space).state, "filters": []}
        self._say(f"{space.label}: {len(keys)} searches, recall@{k} against exact", heading=True)
        if not keys:
            self._say("  no vectors yet")
            return found
        trials = []
        for written in options["filter"] or [[]]:
            trial = self._trial(space, keys, k, written)
            trials.append(trial)
            efs = options["ef_search"] or EF_SEARCH
            found["filters"].append(self._filter(trial, " ".join(written), efs))
        if options["lists"]:
            found["lists"] = self._lists(space, keys, k)
        if options["target"] is not None:
            found |= self._target(trials, options)
        return found

    def _trial(self, space: SpaceDefinition, keys: list[Any], k: int, written: list[str]) -> Trial:
        try:
            among = space.item_model._default_manager.filter(**_parsed(written))
            return Trial(space, among, keys=keys, k=k)
        except (FieldError, ValidationError, ValueError, TypeError, DatabaseError) as error:
            raise CommandError(f"--filter {' '.join(written)}: {error}") from error

    def _filter(self, trial: Trial, name: str, efs: list[int]) -> dict[str, Any]:
        """Measure one filter with each ``ef_search``, and tell."""
        self._say(f"  {name or 'no filter'}: {trial.eligible} products to choose from")
        self._say("    ef_search  recall  ±      worst  p50 ms  p95 ms  way")
        bar = _Bar(len(efs) * len(trial.keys), trial.space.label)
        measured = [trial.measure(ef, bar.step) for ef in efs]
        bar.close()
        for each in measured:
            self._say(f"    {_line(each)}")
        plan = trial.plan(efs[-1])
        self._say("".join(f"      {line}\n" for line in plan.splitlines()))
        searches = [asdict(each) for each in measured]
        return {"filter": name, "eligible": trial.eligible, "searches": searches, "plan": plan}

    def _lists(self, space: SpaceDefinition, keys: list[Any], k: int) -> dict[str, Any]:
        found = recall.of_lists(space, keys, settings.refill_below, k)
        self._say(
            f"  stored lists: {found.recall:.4f} of the nearest {k}, {found.recall_whole:.4f} "
            f"of the nearest {found.length}; {found.missing} missing of {len(keys)}"
        )
        return asdict(found)

    def _target(self, trials: list[Trial], options: dict[str, Any]) -> dict[str, Any]:
        """Find the smallest ``ef_search``, tell it, and save it if asked to."""
        target, space = options["target"], trials[0].space
        bar = _Bar(HALVINGS * len(trials[0].keys) * len(trials), "ef_search")
        try:
            chosen = recall.smallest_ef(trials, target, watch=bar.step)
        except ValueError as error:
            return {"missed": f"{error}; up to {settings.exact_below} eligible products it is."}
        finally:
            bar.close()
        if chosen is None:
            return {
                "missed": f"recall {target} is not reached with ef_search {recall.MOST_EF}. "
                "imgrec_maintain tells whether the index is whole."
            }
        if options["save"]:
            recall.save(space, chosen)
        then = "saved" if options["save"] else "--save has live searches use it"
        self._say(f"  recall {target}: ef_search {chosen.ef_search} ({chosen.recall:.4f}); {then}")
        return {"target": target, "chosen": asdict(chosen), "saved": options["save"]}

    def _say(self, text: str, *, heading: bool = False) -> None:
        if not self.is_json:
            self.stdout.write(self.style.MIGRATE_HEADING(text) if heading else text)


class _Bar:
    """Counts searches; a terminal sees it move."""

    def __init__(self, total: int, label: str) -> None:
        self.bar = Progress(sys.stderr, label, total)
        self.done = 0

    def step(self) -> None:
        """One more search is done."""
        self.done += 1
        self.bar.show(self.done)

    def close(self) -> None:
        """Draw the end; it may come sooner than the longest way would have."""
        self.bar.total = self.done
        self.bar.show(self.done, last=True)


def _parsed(written: list[str]) -> dict[str, Any]:
    """Return look-ups from ``field=value``; a comma makes a list for ``__in``."""
    found: dict[str, Any] = {}
    for each in written:
        name, equals, value = each.partition("=")
        if not (name and equals):
            raise ValueError("write it as field=value")
        truths = {"True": True, "False": False}
        found[name] = value.split(",") if name.endswith("__in") else truths.get(value, value)
    return found


def _line(each: Measured) -> str:
    ways = ", ".join(f"{way} {count}" for way, count in sorted(each.ways.items()))
    short = f", {each.short} came up short" if each.short else ""
    return (
        f"{each.ef_search:<9}  {each.recall:.4f}  {each.margin:.3f}  {each.worst:<5.2f}  "
        f"{each.p50_ms:<6.1f}  {each.p95_ms:<6.1f}  {ways}{short}"
    )
