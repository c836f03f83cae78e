"""``imgrec_duplicates``: which products show nearly the same photo?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imgrec.duplicates import deciding, finding, hashing, limits
from imgrec.errors import WeightsUnavailable
from imgrec.management.choosing import HELP, chosen_spaces
from imgrec.models import DuplicateLimits
from imgrec.progress import Progress
from imgrec.spaces import SpaceDefinition


class Command(BaseCommand):
    """Hash what is new, and find the pairs; interrupted, it goes on where it was."""

    help = "Find products that show nearly the same photo, for the desk in the admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a model, and whether to measure anew."""
        parser.add_argument("model", nargs="?", help=HELP)
        parser.add_argument(
            "--calibrate", action="store_true", help="measure anew how near copies are"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do all of it for each space, and say what was found."""
        for space in chosen_spaces(options["model"]):
            self.stdout.write(self.style.MIGRATE_HEADING(space.label))
            self._hash(space)
            try:
                near = self._limits(space, again=options["calibrate"])
                left = finding.find(space, near)
            except (WeightsUnavailable, ValueError) as error:
                raise CommandError(str(error)) from error
            clusters = len(deciding.clusters(space))
            self.stdout.write(f"  {left} pairs in {clusters} clusters wait for a decision.")

    def _hash(self, space: SpaceDefinition) -> None:
        bar = Progress(sys.stderr, "photos", hashing.missing(space).count())
        if bar.total:
            hashing.hash_all(space, bar.show)
            bar.show(bar.total, last=True)
        else:
            hashing.hash_all(space)

    def _limits(self, space: SpaceDefinition, *, again: bool) -> limits.Limits:
        known = None if again else limits.stored(space)
        if known is None:
            photos = space.embedding_model.objects.using(space.using).count()
            bar = Progress(sys.stderr, "copies", min(limits.PHOTOS, photos))
            known = limits.calibrate(space, watch=bar.show)
            bar.show(bar.total, last=True)
        row = DuplicateLimits.objects.using(space.using).get(space=space.label)
        found = ", ".join(f"{share:.0%} {kind}" for kind, share in sorted(row.found.items()))
        self.stdout.write(
            f"  copies: cosine {known.copy_similarity:.3f}, {known.copy_bits} bits; "
            f"parts: {known.crop_similarity:.3f}, {known.crop_bits} bits. "
            f"Of copies of {row.photos} photos: {found}."
        )
        return known
