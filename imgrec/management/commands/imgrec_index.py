"""``imgrec_index``: queue photos and watch them being embedded, or embed them right here."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from imgrec import (
    adding,
    first_load,
    indexing,
    jobs,
    neighbours,
    shells,
    space_rows,
    sweep,
    tallies,
    tiles,
)
from imgrec.management.choosing import HELP, chosen_spaces
from imgrec.models import EmbeddingJob
from imgrec.poke import poke
from imgrec.progress import Progress
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition

WATCH_SECONDS = 0.25
SILENT_SECONDS = 60


class Command(BaseCommand):
    """Queue the photos of all models, or of one, and wait until they are done."""

    _left = -1  # pieces of work when last looked at, and since when it has been that many
    _since = 0.0

    help = "Embed photos: those missing (default), those that failed, or all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a model and which of its photos."""
        parser.add_argument("model", nargs="?", help=HELP)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--missing", action="store_true", help="those missing (default)")
        which.add_argument("--failed", action="store_true", help="those that failed, once more")
        which.add_argument("--all", action="store_true", help="every photo, also unchanged ones")
        parser.add_argument("--inline", action="store_true", help="embed here, without a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        """Queue, wait, and end with an error when photos failed."""
        space_rows.sync()
        spaces = self._chosen(options["model"])
        for space in spaces:
            self._queue(space, options)
        poke()
        failed = sum(self._finish(space, inline=options["inline"]) for space in spaces)
        if options["all"]:
            for space in spaces:
                self._build_lists(space, inline=options["inline"])
        if failed:
            raise CommandError(
                f"{failed} photo(s) failed. imgrec_doctor lists the reasons; "
                "imgrec_index --failed tries them again."
            )

    def _chosen(self, name: str | None) -> list[SpaceDefinition]:
        spaces = chosen_spaces(name)
        active = {space.label for space in indexing.active_spaces()}
        for space in spaces:
            if space.label not in active:
                self.stderr.write(f"{space.label} is switched off, left out.")
        return [space for space in spaces if space.label in active]

    def _queue(self, space: SpaceDefinition, options: dict[str, Any]) -> None:
        jobs.hurry(space)
        if options["failed"]:
            jobs.retry_failed(space)
            return
        if options["all"]:
            adding.add_rows(space, sweep.with_photo(space), priority=sweep.PRIORITY)
        else:
            sweep.queue_missing(space)

    def _finish(self, space: SpaceDefinition, *, inline: bool) -> int:
        waiting = jobs.open_jobs(space).count()
        if waiting:
            bar = Progress(sys.stderr, space.label, waiting)
            (self._work if inline else self._watch)(space, bar)
        failed = _jobs(space, EmbeddingJob.State.FAILED).count()
        excluded = _jobs(space, EmbeddingJob.State.EXCLUDED).count()
        left_out = f", {excluded} excluded (imgrec_placeholders)" if excluded else ""
        self.stdout.write(f"{space.label}: {waiting} done, {failed} failed{left_out}")
        return failed

    def _work(self, space: SpaceDefinition, bar: Progress) -> None:
        first_load.begin(space)
        while left := jobs.open_jobs(space).count():
            busy = indexing.process(space, seconds=WATCH_SECONDS)
            if not busy and not neighbours.work(space):
                time.sleep(WATCH_SECONDS)  # what waits for another try, or for a lease to end
            self._raise_without_weights(space)
            bar.show(bar.total - min(bar.total, left))
        bar.show(bar.total, last=True)
        first_load.finish(space)
        tallies.flush(at_once=True)

    def _watch(self, space: SpaceDefinition, bar: Progress) -> None:
        """Wait for the workers, and say so when none seems to be there."""
        while left := jobs.open_jobs(space).count():
            self._raise_without_weights(space)
            self._raise_when_silent(left)
            bar.show(bar.total - min(bar.total, left))
            time.sleep(WATCH_SECONDS)
        bar.show(bar.total, last=True)

    def _raise_when_silent(self, left: int) -> None:
        if left != self._left:
            self._left, self._since = left, time.monotonic()
        elif time.monotonic() - self._since > SILENT_SECONDS:
            raise CommandError(
                f"{left} piece(s) of work wait, and nothing moved for {SILENT_SECONDS} s. Start a "
                f'worker ("{shells.worker()}"), or use --inline.'
            )

    def _build_lists(self, space: SpaceDefinition, *, inline: bool) -> None:
        """Build all lists anew; those of a large space in tiles, with the workers' help."""
        neighbours.rebuild(space)
        total = tiles.progress(space).total
        bar = Progress(sys.stderr, f"{space.label} lists", total)
        while left := tiles.waiting(space):
            bar.show(tiles.progress(space).done)
            if not inline:
                self._raise_when_silent(left)
                time.sleep(WATCH_SECONDS)
            elif not neighbours.work(space):
                time.sleep(WATCH_SECONDS)  # somebody else is at the last ones
        if total:
            bar.show(total, last=True)

    def _raise_without_weights(self, space: SpaceDefinition) -> None:
        stuck = _jobs(space, EmbeddingJob.State.QUEUED).filter(reason=Reason.WEIGHTS_UNAVAILABLE)
        message = stuck.values_list("message", flat=True).first()
        if message:
            raise CommandError(f"weights_unavailable: {message} The photos stay queued.")


def _jobs(space: SpaceDefinition, state: str) -> QuerySet[EmbeddingJob]:
    return EmbeddingJob.objects.using(space.using).filter(space=space.label, state=state)
