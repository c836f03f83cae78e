"""``imgrec_placeholders``: the pictures left out because they stand for many products."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imgrec import placeholders
from imgrec.management.choosing import HELP, chosen_spaces
from imgrec.models import Placeholder
from imgrec.poke import poke
from imgrec.spaces import SpaceDefinition


class Command(BaseCommand):
    """List them; have one used nevertheless, or left out again."""

    help = "List placeholder pictures; use one nevertheless, or leave it out again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a model and what to do."""
        parser.add_argument("model", nargs="?", help=HELP)
        what = parser.add_mutually_exclusive_group()
        short = "its first characters will do"
        what.add_argument("--use", metavar="SHA256", help=short)
        what.add_argument("--leave-out", metavar="SHA256", help=short)

    def handle(self, *args: Any, **options: Any) -> None:
        """List or decide."""
        spaces = chosen_spaces(options["model"])
        if options["use"]:
            self._decide(spaces, options["use"], placeholders.allow)
        elif options["leave_out"]:
            self._decide(spaces, options["leave_out"], placeholders.forbid)
        else:
            self._list(spaces)

    def _list(self, spaces: list[SpaceDefinition]) -> None:
        lines = [
            f"{space.label}  {each['sha256'][:12]}  "
            f"{'used' if each['allowed'] else 'left out'}  {each['photos']} photos  "
            f"{each['source_name']}"
            for space in spaces
            for each in placeholders.found(space)
        ]
        self.stdout.write("\n".join(lines) or "No picture was found to be a placeholder.")

    def _decide(
        self,
        spaces: list[SpaceDefinition],
        digest: str,
        decide: Callable[[SpaceDefinition, Placeholder], int],
    ) -> None:
        found = [
            (space, row)
            for space in spaces
            for row in placeholders.rows_of(space).filter(sha256__startswith=digest.lower())
        ]
        if not found:
            raise CommandError(f"No placeholder begins with {digest!r}.")
        if len({row.sha256 for _space, row in found}) > 1:
            raise CommandError(f"Several placeholders begin with {digest!r}: give more of it.")
        for space, row in found:
            self.stdout.write(f"{space.label}: {decide(space, row)} photos queued")
        poke()
