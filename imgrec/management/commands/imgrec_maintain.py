"""``imgrec_maintain``: are the indexes there, whole and no larger than they need be? Mend them."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DataError, connections

from imgrec import index_building, index_facts
from imgrec.index_building import Building, IndexRefused
from imgrec.index_facts import IndexFacts
from imgrec.management.choosing import HELP, chosen_spaces
from imgrec.progress import Progress
from imgrec.spaces import SpaceDefinition

KINDS = ("hnsw", "gin")
# A build that is over sooner needs no progress bar.
PATIENCE_SECONDS = 2.0


class Command(BaseCommand):
    """Show the indexes of all spaces, or of one; with ``--fix`` build anew what needs it."""

    help = "Look after the indexes: missing, invalid or bloated ones are built anew by --fix."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a model, whether to mend, and how much is too large."""
        parser.add_argument("model", nargs="?", help=HELP)
        parser.add_argument("--fix", action="store_true", help="mend what needs it, CONCURRENTLY")
        parser.add_argument(
            "--ratio",
            type=float,
            default=index_facts.BLOATED_FROM,
            help="times the size of a fresh one that is too large (default %(default)s)",
        )
        parser.add_argument(
            "--memory", default="", help="maintenance_work_mem of a build, such as 512MB"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Report, mend, and end with an error when something still needs care."""
        left: list[str] = []
        for space in chosen_spaces(options["model"]):
            self.stdout.write(self.style.MIGRATE_HEADING(space.label))
            for kind in KINDS:
                left += self._look_after(space, kind, options)
        if left:
            raise CommandError("\n".join(left))
        self.stdout.write(self.style.SUCCESS("All well."))

    def _look_after(self, space: SpaceDefinition, kind: str, options: dict[str, Any]) -> list[str]:
        """Show an index, mend it if asked to; return what is still wrong."""
        facts = self._examine(space, kind)
        self._print(facts)
        todo = index_building.statements(space, facts, over=options["ratio"])
        if not todo:
            return []
        if not facts.may_change:
            return [index_building.what_to_run(facts, todo)]
        self._hint(space, facts, options["memory"])
        if not options["fix"]:
            wrong = facts.problems(options["ratio"])
            return [f"{space.label}: {problem}; --fix mends it" for problem in wrong]
        return self._mend(space, facts, options)

    def _examine(self, space: SpaceDefinition, kind: str) -> IndexFacts:
        try:
            return index_facts.examine(space, kind)
        except LookupError as error:
            raise CommandError(str(error)) from error

    def _print(self, facts: IndexFacts) -> None:
        state = "being built" if facts.building else facts.state
        size = ""
        if facts.bloat is not None:
            about = "" if facts.kind == "hnsw" else "about "
            size = f"{_megabytes(facts.bytes):>10}  {about}{facts.bloat} times a fresh one"
        self.stdout.write(f"  {facts.name}  {facts.kind:5} {state:11} {facts.rows:>9} rows{size}")
        for name in facts.leftovers:
            self.stdout.write(f"  {name}  left behind by a failed rebuild")

    def _hint(self, space: SpaceDefinition, facts: IndexFacts, memory: str) -> None:
        """Say when a build outgrows its memory: it goes on, many times slower."""
        if facts.kind != "hnsw":
            return
        has = self._memory(space, memory)
        m = index_facts.index_of(space, "hnsw").m
        wants = index_facts.build_bytes(facts.rows, space.embedder.dimensions, m)
        if wants > has:
            self.stderr.write(
                f"  Building takes about {_megabytes(wants)} of maintenance_work_mem, which is "
                f"{_megabytes(has)}: the rest goes by disk, many times slower. "
                f"--memory {wants // 1_000_000 + 1}MB gives this build as much; in a container it "
                "comes from shared memory (shm_size)."
            )

    def _memory(self, space: SpaceDefinition, memory: str) -> int:
        sql = "SELECT pg_size_bytes(coalesce(nullif(%s, ''), current_setting(%s)))"
        try:
            with connections[space.using].cursor() as cursor:
                cursor.execute(sql, [memory, "maintenance_work_mem"])
                return int(cursor.fetchone()[0])
        except DataError as error:
            raise CommandError(f"--memory {memory}: write it as PostgreSQL does, 512MB.") from error

    def _mend(
        self, space: SpaceDefinition, facts: IndexFacts, options: dict[str, Any]
    ) -> list[str]:
        started_at = time.monotonic()
        bar = _Bar(facts)
        try:
            index_building.mend(
                space,
                facts.kind,
                over=options["ratio"],
                memory=options["memory"],
                watch=bar.show,
            )
        except IndexRefused as error:
            return [f"{space.label}: {error}"]
        finally:
            bar.close()
        seconds = time.monotonic() - started_at
        now = self._examine(space, facts.kind)
        sizes = f"{_megabytes(facts.bytes)} before, {_megabytes(now.bytes)} now"
        self.stdout.write(f"  {facts.name}: mended in {seconds:.1f} s, {sizes}")
        return [f"{space.label}: {problem}" for problem in now.problems(options["ratio"])]


class _Bar:
    """Draws a build that takes its time, in rows: its progress is told in blocks of the table."""

    def __init__(self, facts: IndexFacts) -> None:
        self.bar = Progress(sys.stderr, facts.name, facts.rows)
        self.done = 0
        self.shown = False

    def show(self, building: Building) -> None:
        """Draw, once the build has taken longer than people wait without asking."""
        if building.total:
            self.done = self.bar.total * building.done // building.total
        if time.monotonic() - self.bar.started_at > PATIENCE_SECONDS:
            self.shown = True
            self.bar.show(self.done)

    def close(self) -> None:
        """Draw the end, if there was anything to see."""
        if self.shown:
            self.bar.show(self.done, last=True)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
