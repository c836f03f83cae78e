"""``imgrec_doctor``: is every photo accounted for, and is anything stuck?"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imgrec.doctor import examine

CONSUMED = {
    True: "consumed",
    False: "not consumed by any worker",
    None: "its workers cannot be asked",
}


class Command(BaseCommand):
    """Print the state of every space; exit with 1 when something needs attention."""

    help = "Count every photo in exactly one state, and say what is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take ``--json``."""
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine and report."""
        found = examine()
        if options["json"]:
            self.stdout.write(json.dumps(found, indent=2))
        else:
            for space in found["spaces"]:
                self._print(space)
            self.stdout.write(f"Queue {found['queue']}: {CONSUMED[found['queue_consumed']]}")
        if found["problems"]:
            raise CommandError("\n".join(found["problems"]))
        if not options["json"]:
            self.stdout.write(self.style.SUCCESS("All well."))

    def _print(self, space: dict[str, Any]) -> None:
        served = "served" if space["served"] else "not served"
        active = "" if space["active"] else ", switched off"
        self.stdout.write(self.style.MIGRATE_HEADING(f"{space['label']} ({served}{active})"))
        for name in ("encoder", "version", "served_version", "weights", "index", "pgvector"):
            self.stdout.write(f"  {name:24}{space[name] or '-'}")
        if space["index_bloat"] is not None:
            size = f"{space['index_bytes'] / 1e6:.1f} MB, {space['index_bloat']} times a fresh one"
            self.stdout.write(f"  {'index size':24}{size}")
        if space["recall"] is not None:
            measured = f"{space['recall']:.3f} at ef_search {space['ef_search']}"
            self.stdout.write(f"  {'recall@10':24}{measured} ({space['recall_measured_at']})")
        for state, count in space["states"].items():
            self.stdout.write(f"  {state:24}{count:>8}")
        for each in space["placeholders"]:
            done = "used" if each["allowed"] else f"left out {each['photos']} times"
            name = f"placeholder {each['sha256'][:12]}"
            self.stdout.write(f"  {name:24}{done}: {each['source_name']}")
        self.stdout.write(f"  {'rows':24}{space['rows']:>8}")
        self.stdout.write(f"  {'lists':24}{space['lists']:>8}")
        if space["oldest_waiting_seconds"] is not None:
            self.stdout.write(f"  {'oldest waiting':24}{space['oldest_waiting_seconds']:>8} s")
