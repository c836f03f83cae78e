"""``imgrec_buying_list``: which sold-out products leave a gap?"""

from __future__ import annotations

import csv
import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imgrec import buying
from imgrec.buying import Gap
from imgrec.management.choosing import chosen_spaces
from imgrec.paths import price_of
from imgrec.progress import Progress
from imgrec.rescue import sold_out
from imgrec.rule_files import guarded
from imgrec.served import served_space
from imgrec.spaces import SpaceDefinition

COLUMNS = (
    "model",
    "key",
    "product",
    "price",
    "look_alikes",
    "nearest_key",
    "nearest",
    "similarity",
    "why",
)


class Command(BaseCommand):
    """Tell which sold-out products have no good look-alike in stock."""

    help = "List sold-out products that have too few good look-alikes in stock: a buying list."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a model, what counts as good and enough, and how to tell."""
        parser.add_argument("model", nargs="?", help="app.Model; default all")
        parser.add_argument(
            "--fewer-than", type=int, default=buying.FEWER_THAN, help="look-alikes (%(default)s)"
        )
        parser.add_argument(
            "--min-similarity",
            type=float,
            default=buying.MIN_SIMILARITY,
            help="what is similar enough, 0 to 1 (%(default)s)",
        )
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--csv", action="store_true", help="CSV on stdout")
        how.add_argument("--json", action="store_true", help="one JSON object a line on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through the models, writing each gap as it is found."""
        if options["fewer_than"] < 1 or not 0 <= options["min_similarity"] <= 1:
            raise CommandError("--fewer-than takes 1 or more, --min-similarity 0 to 1.")
        models = {space.item_model for space in chosen_spaces(options["model"])}
        if options["csv"]:
            csv.writer(self.stdout).writerow(COLUMNS)
        found = 0
        for model in sorted(models, key=lambda each: each._meta.label):
            found += self._look_through(served_space(model), options)
        if not (options["csv"] or options["json"]):
            self.stdout.write(f"{found} sold-out products leave a gap.")

    def _look_through(self, space: SpaceDefinition, options: dict[str, Any]) -> int:
        total, done, found = sold_out(space).count(), 0, 0
        progress = Progress(sys.stderr, space.item_model._meta.label, total)

        def seen(key: Any) -> None:
            nonlocal done
            done += 1
            progress.show(done, last=done == total)

        chosen = {name: options[name] for name in ("fewer_than", "min_similarity")}
        for gap in buying.gaps(space, seen=seen, **chosen):
            self._write(row_of(space, gap), options)
            found += 1
        return found

    def _write(self, row: dict[str, Any], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(row, default=str))
        elif options["csv"]:
            cells = [guarded(str(row[name])) if row[name] is not None else "" for name in COLUMNS]
            csv.writer(self.stdout).writerow(cells)
        else:
            near = f"{row['similarity']:.2f} {row['nearest']}" if row["nearest"] else row["why"]
            self.stdout.write(
                f"{row['key']:>10}  {row['look_alikes']} of {options['fewer_than']}"
                f"  {row['product'][:40]:<40}  {near}"
            )


def row_of(space: SpaceDefinition, gap: Gap) -> dict[str, Any]:
    """Return what is told of a gap."""
    price = price_of(space.item_model)
    value: Any = gap.product
    for name in price.name.split("__") if price else ():
        value = getattr(value, name, None)
    return {
        "model": space.item_model._meta.label,
        "key": str(gap.product.pk),
        "product": str(gap.product),
        "price": str(value) if price and value is not None else None,
        "look_alikes": gap.found,
        "nearest_key": str(gap.nearest.pk) if gap.nearest is not None else None,
        "nearest": str(gap.nearest) if gap.nearest is not None else None,
        "similarity": round(gap.similarity, 4) if gap.similarity is not None else None,
        "why": gap.why,
    }
