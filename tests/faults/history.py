"""What a campaign did, and when: kept in a file while it runs, told in full when it fails."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from tests.worker import ROOT

DEFAULT_SEED = 5


def seed() -> int:
    """Return the seed to play: ``IMGREC_FAULTS_SEED=7 make faults`` plays the seventh."""
    return int(os.environ.get("IMGREC_FAULTS_SEED", DEFAULT_SEED))


class History:
    """Lines in ``.faults/<name>.log``, which a test that hangs leaves behind, too."""

    def __init__(self, name: str, seed: int) -> None:
        folder = Path(os.environ.get("IMGREC_FAULTS_HISTORY", ROOT / ".faults"))
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{re.sub('[^a-z0-9]+', '-', name.lower())}-{seed}.log"
        self.path.unlink(missing_ok=True)
        self._began = time.monotonic()
        self.note(f"{name}, IMGREC_FAULTS_SEED={seed}")

    def note(self, line: str) -> None:
        """Add what is about to be done."""
        with self.path.open("a") as log:
            log.write(f"{time.monotonic() - self._began:7.2f}  {line}\n")

    def __str__(self) -> str:
        return f"\n{self.path}:\n{self.path.read_text()}"
