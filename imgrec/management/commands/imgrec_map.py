"""``imgrec_map``: the map of a catalogue made right here, instead of by a worker."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import FieldError
from django.core.management.base import BaseCommand, CommandError

from imgrec.catalogue_map import categories, making
from imgrec.catalogue_map.layout import MapUnavailable
from imgrec.management.choosing import HELP, chosen_spaces
from imgrec.progress import Progress
from imgrec.spaces import SpaceDefinition


class Command(BaseCommand):
    """Make the map of one space, or of all, and show how far it is."""

    help = "Make the map of the catalogue that the admin shows. Takes the extra: imgrec[map]."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a space, and what its products are coloured by."""
        parser.add_argument("model", nargs="?", help=HELP)
        parser.add_argument("--category", help='a column of the product; "": no colours')
        # not all there are: they spin while they wait for each other, and busy cores make it slow
        parser.add_argument("--threads", type=int, default=1, help="(%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make them one after the other."""
        for space in chosen_spaces(options["model"]):
            category = options["category"]
            self._make(
                space, categories.usual(space) if category is None else category, options["threads"]
            )

    def _make(self, space: SpaceDefinition, category: str, threads: int) -> None:
        bars: dict[str, Progress] = {}

        def show(stage: str, done: int, total: int) -> None:
            bar = bars.setdefault(stage, Progress(sys.stderr, f"{space.label} {stage}", total))
            bar.total = total
            bar.show(done, last=0 < total == done)

        row = making.ask(space, category)
        try:
            making.make(space, row, threads=threads, watch=show)
        except (MapUnavailable, making.Stopped, FieldError) as error:
            making.stop(space)
            raise CommandError(f"{space.label}: {error}") from error
        except KeyboardInterrupt:
            making.stop(space)
            raise
        made = making.finished(space)
        items = len(made.points) // 5 if made else 0
        self.stdout.write(f"{space.label}: {items} products on the map")
