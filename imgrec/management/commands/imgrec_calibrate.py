"""``imgrec_calibrate``: measure what a match in percent is relative to."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from imgrec import calibrating
from imgrec.management.choosing import HELP, chosen_spaces


class Command(BaseCommand):
    """Measure now; workers do it once a week."""

    help = "Measure how similar products of a category are by chance: what matches are told by."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a model, and what draws the pairs."""
        parser.add_argument("model", nargs="?", help=HELP)
        parser.add_argument("--seed", type=int, default=0, help="draws other products")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure each space and say on how much."""
        for space in chosen_spaces(options["model"]):
            found = calibrating.calibrate(space, seed=options["seed"])
            self.stdout.write(
                f"{space.label}: {found.products} products drawn, "
                f"{found.categories} categories with a scale of their own"
            )
