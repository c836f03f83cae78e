"""``imgrec_health``: does work go on? For probes and monitors; ``imgrec_doctor`` looks deeper."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from imgrec.health import report

STALLED, UNKNOWN = 1, 2


class Command(BaseCommand):
    """Exit with 0 when work goes on, with 1 when it does not, with 2 when nobody can tell."""

    help = "Tell whether work goes on: exit status 0, 1 when it is stalled, 2 without a database."
    # A probe asks every few seconds; whether the project is set up well is not its question.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take ``--after`` and ``--json``."""
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
        parser.add_argument(
            "--after",
            type=float,
            metavar="SECONDS",
            help="without progress; by default IMGREC['stalled_seconds']",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, tell, and exit accordingly."""
        try:
            found = report(after=options["after"])
        except Error as error:
            raise CommandError(f"unknown: {error}", returncode=UNKNOWN) from error
        if options["json"]:
            self.stdout.write(json.dumps(found, indent=2))
        else:
            for space in found["spaces"]:
                self.stdout.write(_line(space))
        if found["problems"]:
            raise CommandError("\n".join(found["problems"]), returncode=STALLED)


def _line(space: dict[str, Any]) -> str:
    jobs = ", ".join(f"{n} {state}" for state, n in space["jobs"].items() if n)
    if not space["is_active"]:
        return f"{space['label']}: switched off ({jobs or 'nothing waits'})"
    times = {
        "oldest": space["oldest_waiting_seconds"],
        "progress": space["last_progress_seconds"],
        "sweep": space["last_sweep_seconds"],
    }
    known = [f"{name} {seconds:.0f} s" for name, seconds in times.items() if seconds is not None]
    return "; ".join([f"{space['label']}: {jobs or 'nothing waits'}", *known])
