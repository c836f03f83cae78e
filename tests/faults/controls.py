"""What a test tells the workers it started, by files in a folder both know.

The workers' side of it is in ``sabotage.py``. A folder outlives servers that are killed, and
asks neither of them.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.waiting import POLL_SECONDS

# Whoever is held goes on after this long, whatever the test does.
PATIENCE_SECONDS = 12.0


class Controls:
    """Files with a word in them; no file is the same as no word."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def say(self, name: str, word: str = "") -> None:
        """Set the word; an empty one takes it back."""
        path = self.folder / name
        if not word:
            path.unlink(missing_ok=True)
            return
        beside = self.folder / f".{name}"
        beside.write_text(word)
        beside.replace(path)  # nobody ever reads half of it

    def heard(self, name: str) -> str:
        """Return the word, or ``""``."""
        try:
            return (self.folder / name).read_text()
        except FileNotFoundError:
            return ""

    def note(self, name: str, *lines: str) -> None:
        """Add lines to a log that several processes write."""
        with (self.folder / name).open("a") as log:
            log.write("".join(f"{line}\n" for line in lines))

    def notes(self, name: str) -> list[str]:
        """Return the lines of such a log."""
        return self.heard(name).splitlines()

    def hold(self, name: str, word: str) -> None:
        """Have the first one that comes by with this word wait until it is let go."""
        self.say(f"{name}.held")
        self.say(name, word)

    def is_held(self, name: str) -> bool:
        """Return whether somebody waits."""
        return bool(self.heard(f"{name}.held"))

    def pass_by(self, name: str, word: str) -> None:
        """Wait here, if this is held and nobody else waits already."""
        if self.heard(name) != word or not self._is_first(name):
            return
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while self.heard(name) == word and time.monotonic() < ends_at:
            time.sleep(POLL_SECONDS)

    def _is_first(self, name: str) -> bool:
        try:
            held = os.open(self.folder / f"{name}.held", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            return False
        os.write(held, str(os.getpid()).encode())
        os.close(held)
        return True
