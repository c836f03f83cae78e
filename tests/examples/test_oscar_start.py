"""How the oscar example gets into its virtual environment, told by a stand-in for the latter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.example_shop import EXAMPLES
from tests.examples.oscar_shop import OscarShop

BARE = [sys.executable, "-I", "-S"]  # an interpreter that has nothing installed
ECHO = """#!/bin/sh
echo "$$" "$@"
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A copy of run.py, beside which an environment can be made."""
    folder = tmp_path / "examples" / "oscar"
    folder.mkdir(parents=True)
    for name in ("__init__.py", "starting.py"):
        shutil.copy(EXAMPLES / name, folder.parent)
    return Path(shutil.copy(OscarShop.here / "run.py", folder))


def environment(run: Path, *, complete: bool) -> None:
    """Make one whose interpreter says who it is and what it is told."""
    python = run.parent / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(ECHO)
    python.chmod(0o755)
    if complete:
        (run.parent / ".venv" / "complete").touch()


def test_the_shop_takes_the_place_of_the_process_that_was_started(run: Path) -> None:
    """With one in between, Ctrl-C would end that, and leave servers behind."""
    environment(run, complete=True)
    command = [*BARE, str(run), "--port", "8123"]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said, _ = started.communicate(timeout=60)
    assert said.split() == [str(started.pid), str(run), "--port", "8123"]


def test_an_installation_that_failed_is_told_and_made_anew(run: Path) -> None:
    environment(run, complete=False)
    nowhere = {**os.environ, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    nowhere.pop("PIP_FIND_LINKS", None)
    (run.parent / "requirements.txt").write_text("django-oscar\n")
    done = subprocess.run([*BARE, str(run)], env=nowhere, capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip could not install what the shop needs" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (run.parent / ".venv" / "complete").exists()
    assert (run.parent / ".venv" / "pyvenv.cfg").exists()
