"""``manage.py demo``: the shop with everything it needs, until Ctrl-C."""

from __future__ import annotations

import json
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError

from demo_shop.checking.run import check
from demo_shop.running import demo
from demo_shop.running.folder import FolderInUse
from demo_shop.running.stack import DemoError
from demo_shop.services import ServiceError
from demo_shop.settings import DATA_DIR


class Command(BaseCommand):
    help = "Run the demo shop: PostgreSQL, Redis, a worker and a web server, filled and indexed."
    # Settings point at no database yet: the servers are started below, the shop in children.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--photos", type=Path, help="a CSV manifest or a folder of pictures")
        parser.add_argument("--data", type=Path, default=DATA_DIR, help="default: ./.demo")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--check",
            action="store_true",
            help="drive the shop over HTTP in a temporary folder, print one JSON summary, exit",
        )

    def handle(self, *, photos: Path | None, check: bool, **options: Any) -> None:
        if photos and not photos.exists():
            raise CommandError(f"There is nothing at {photos}.")
        signal.signal(signal.SIGTERM, _end)
        try:
            if check:
                self._check(photos)
            else:
                demo.run(options["data"], photos=photos, port=options["port"], say=self._say)
        except (DemoError, FolderInUse, ServiceError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            sys.exit(130 if check else 0)

    def _check(self, photos: Path | None) -> None:
        summary = check(photos, say=self._say)
        self.stdout.write(json.dumps(summary, indent=2))
        if not summary["ok"]:
            sys.exit(1)

    def _say(self, line: str) -> None:
        self.stderr.write(line, ending="\n", style_func=str)


def _end(number: int, frame: object) -> NoReturn:
    """Leave as Ctrl-C does, so that everything started is stopped."""
    raise KeyboardInterrupt
