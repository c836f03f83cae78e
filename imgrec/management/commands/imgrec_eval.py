"""``imgrec_eval``: how good are the lists of this catalogue?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imgrec.evaluation import keeping, measuring
from imgrec.evaluation.measuring import Agreement, Catalogue, Evaluation
from imgrec.evaluation.table import agreement_lines, lines
from imgrec.management.choosing import HELP, chosen_spaces
from imgrec.progress import Progress
from imgrec.spaces import SpaceDefinition


class Command(BaseCommand):
    """Measure lists with a label and without, and show the worst of them."""

    help = "Measure how good the lists are: with a label (--label), and without any."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a space, what to judge by, and how to tell."""
        parser.add_argument("model", nargs="?", help=HELP)
        parser.add_argument("--label", help="a column of the product: category, category__name")
        parser.add_argument("-k", type=int, default=10, help="length of lists (%(default)s)")
        parser.add_argument(
            "--queries", type=int, default=10_000, help="products asked; 0: all (%(default)s)"
        )
        parser.add_argument("--seed", type=int, default=0, help="draws other products")
        parser.add_argument(
            "--copies", type=int, default=100, help="photos to copy; 0: none (%(default)s)"
        )
        parser.add_argument("--against", metavar="SPACE", help="compare with this other space")
        parser.add_argument("--html", metavar="FILE", help="write a page with pictures")
        parser.add_argument(
            "--worst", type=int, default=60, help="lists on that page (%(default)s)"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure each space, then compare two of them."""
        self.is_json = options["json"]
        spaces = self._chosen(options)
        catalogues = [
            measuring.read(each, options["queries"] or None, seed=options["seed"])
            for each in spaces
        ]
        if options["against"]:
            catalogues = _common(catalogues)
        found = [self._evaluate(each, options) for each in catalogues]
        told: dict[str, Any] = {"spaces": [each.figures() for each in found]}
        agreement = None
        if options["against"]:
            agreement = measuring.agreement(found[0].ranked, found[1].ranked)
            told["agreement"] = agreement.figures()
            self._say(agreement_lines(agreement, options["k"]))
        if options["html"]:
            self._write(found, agreement, options)
        if self.is_json:
            self.stdout.write(json.dumps(told, indent=2))

    def _chosen(self, options: dict[str, Any]) -> list[SpaceDefinition]:
        if options["k"] < 1 or min(options[name] for name in ("queries", "copies", "worst")) < 0:
            raise CommandError("-k: 1 or more. --queries, --copies, --worst: 0 or more.")
        spaces = chosen_spaces(options["model"])
        if len(spaces) > 1 and (options["against"] or options["html"]):
            labels = ", ".join(space.label for space in spaces)
            raise CommandError(f"--against and --html are about one space. Name one of {labels}.")
        if not options["against"]:
            return spaces
        others = chosen_spaces(options["against"])
        if len(others) != 1 or others[0].item_model is not spaces[0].item_model:
            raise CommandError("--against: the label of a space with the same products.")
        return [*spaces, *others]

    def _evaluate(self, catalogue: Catalogue, options: dict[str, Any]) -> Evaluation:
        bar = _Bar(catalogue.space.label, len(catalogue.asked))
        try:
            found = measuring.evaluate(catalogue, options["k"], options["label"], bar.show)
        except ValueError as error:
            raise CommandError(str(error)) from error
        bar.close()
        if options["copies"] and catalogue.asked:
            bar = _Bar("copies", min(options["copies"], len(catalogue.asked)))
            copies, why = measuring.copies_of(catalogue, options["copies"], bar.show)
            bar.close()
            found = replace(found, copies=copies, no_copies=why)
        self._say(lines(found), heading=catalogue.space.label)
        keeping.keep(found)
        return found

    def _write(
        self, found: list[Evaluation], agreement: Agreement | None, options: dict[str, Any]
    ) -> None:
        from imgrec.evaluation import report

        bar = _Bar("page", 0)
        page = report.page(found, agreement, worst=options["worst"], watch=bar.show)
        bar.close()
        path = Path(options["html"])
        path.write_text(page, encoding="utf-8")
        self._say([f"{path}: {path.stat().st_size / 1e6:.1f} MB"])

    def _say(self, told: list[str], *, heading: str = "") -> None:
        if self.is_json:
            return
        if heading:
            self.stdout.write(self.style.MIGRATE_HEADING(heading))
        for line in told:
            self.stdout.write(f"  {line}")


class _Bar:
    """Counts what is done; draws nothing where nothing is to do."""

    def __init__(self, label: str, total: int) -> None:
        self.bar = Progress(sys.stderr, label, total)
        self.done = 0

    def show(self, done: int, total: int | None = None) -> None:
        """So many are done."""
        self.done = done
        self.bar.total = total or self.bar.total
        self.bar.show(done)

    def close(self) -> None:
        """Draw the end; it may come sooner."""
        self.bar.total = self.done
        if self.done:
            self.bar.show(self.done, last=True)


def _common(catalogues: list[Catalogue]) -> list[Catalogue]:
    """Leave the products that all of them have vectors of, and ask the same ones."""
    keys = set.intersection(*(set(each.vectors.items.tolist()) for each in catalogues))
    asked = [key for key in catalogues[0].asked if key in keys]
    return [replace(each.among(keys), asked=asked) for each in catalogues]
