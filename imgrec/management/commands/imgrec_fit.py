"""``imgrec_fit``: a projection fitted on the shop's own vectors, for a smaller and better space."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imgrec import fitting, recall
from imgrec.evaluation import held_out
from imgrec.management.choosing import HELP, chosen_spaces
from imgrec.progress import Progress
from imgrec.spaces import SpaceDefinition


class Command(BaseCommand):
    """Fit, write the file, and say what to write into the model; with a label, what it changes."""

    help = "Fit a projection on the vectors of a space, without labels."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a space, the file, and how to fit."""
        parser.add_argument("space", help=HELP)
        parser.add_argument("--out", metavar="FILE", help="where to write it; default: nowhere")
        parser.add_argument("--dimensions", type=int, default=256, help="(%(default)s)")
        parser.add_argument(
            "--whitening",
            type=float,
            default=fitting.WHITENING,
            help="0: none, 1: all directions vary the same (%(default)s)",
        )
        parser.add_argument("--label", help="compare by this column: category, category__name")
        parser.add_argument("-k", type=int, default=10, help="length of lists (%(default)s)")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fit, compare, write."""
        self._check(options)
        spaces = chosen_spaces(options["space"])
        if len(spaces) > 1:
            labels = ", ".join(space.label for space in spaces)
            raise CommandError(f"Name one space: {labels}.")
        told = self._fit(spaces[0], options)
        if options["json"]:
            self.stdout.write(json.dumps(told, indent=2))
            return
        for name in ("vectors", "dimensions", "kept", "sha256"):
            self.stdout.write(f"  {name:24}{told[name]}")
        for name, value in told.get("compared", {}).items():
            self.stdout.write(f"  {name:24}{value:.4f}")
        if options["out"]:
            self.stdout.write(told["field"])

    def _check(self, options: dict[str, Any]) -> None:
        if options["dimensions"] < 1 or options["k"] < 1:
            raise CommandError("--dimensions and -k: 1 or more.")
        if not 0 <= options["whitening"] <= 1:
            raise CommandError("--whitening: 0 to 1.")

    def _fit(self, space: SpaceDefinition, options: dict[str, Any]) -> dict[str, Any]:
        dimensions, whitening = options["dimensions"], options["whitening"]
        version = recall.served_version(space)
        try:
            fit = fitting.fit_space(space, version, dimensions, whitening)
        except fitting.TooFewVectors as error:
            raise CommandError(f"{space.label}: {error}") from error
        data = fit.projection.to_bytes()
        digest = sha256(data).hexdigest()
        told: dict[str, Any] = {
            "label": space.label,
            "version": version,
            "vectors": fit.vectors,
            "dimensions": dimensions,
            "whitening": whitening,
            "kept": round(fit.kept, 4),
            "sha256": digest,
        }
        if options["label"]:
            told["compared"] = self._compare(space, options)
        if options["out"]:
            Path(options["out"]).write_bytes(data)
            told["field"] = _field(space, options["out"], digest, dimensions)
        return told

    def _compare(self, space: SpaceDefinition, options: dict[str, Any]) -> dict[str, float]:
        bar = Progress(sys.stderr, "compared", held_out.FOLDS)
        try:
            found = held_out.compare(
                space,
                options["label"],
                k=options["k"],
                dimensions=options["dimensions"],
                whitening=options["whitening"],
                watch=bar.show,
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        bar.show(held_out.FOLDS, last=True)
        return found


def _field(space: SpaceDefinition, path: str, digest: str, dimensions: int) -> str:
    """Return the lines for the model that has the space.

    They do not run before somebody has filled in who may be seen: forgotten, all would be.
    """
    options = [f'source="{space.source}"', *([f'item="{space.item}"'] if space.item else [])]
    rules = {"visible": space.visible, "recommend": space.recommend}
    lines = [f"    {each}," for each in options]
    lines += [f"    {name}=???,  # as in {space.label}" for name, rule in rules.items() if rule]
    encoder = [repr(space.embedder), f'"{path}"', f'sha256="{digest}"', f"dimensions={dimensions}"]
    lines += ["    embedder=Fitted(", *(f"        {each}," for each in encoder), "    ),"]
    return "\n".join(["embedding_fitted = ImageEmbeddingField(", *lines, ")"])
