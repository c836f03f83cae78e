"""``imgrec_sweep``: what an idle Celery worker does by itself, for cron and for Django's tasks."""

from __future__ import annotations

import logging
import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from imgrec import chores, shells

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Look for work that no message tells of, and send a message; once, or again and again."""

    help = "Find what no signal told of, and wake a worker; for cron, or with --every for ever."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how often."""
        parser.add_argument(
            "--every",
            type=_seconds,
            metavar="SECONDS",
            help="again after so long, until the process is ended (default: once)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep once and raise what goes wrong; or go on, and log it."""
        if not options["every"]:
            sweep()
            return
        while True:
            try:
                sweep()
            except Exception:  # the database or the queue is away: it will be back
                logger.exception("imgrec: sweep failed, again in %g s", options["every"])
            close_old_connections()
            time.sleep(options["every"])


def sweep() -> None:
    """Queue every gap, and send a message in any case: one for work that waits may be lost."""
    wanted = {"imgrec.embed_pending"}
    chores.sweep_all(wanted.add)
    shells.send(wanted)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError("give a number of seconds above 0")
    return seconds
