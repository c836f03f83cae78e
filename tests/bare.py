"""An environment that holds imgrec, what it asks for, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

from tests.worker import ROOT


def base() -> list[str]:
    """Return what imgrec itself asks for, without any extra."""
    return list(_project()["dependencies"])


def of_extra(name: str) -> list[str]:
    """Return what one of imgrec's extras asks for, extras inside it unfolded."""
    listed = map(Requirement, _project()["optional-dependencies"][name])
    return [
        found
        for each in listed
        for found in (
            [more for inner in each.extras for more in of_extra(inner)]
            if each.name == "imgrec"
            else [str(each)]
        )
    ]


def make(folder: Path, requirements: list[str]) -> Path:
    """Make one, with the packages of this environment in it; return its interpreter.

    They are linked rather than installed: that takes seconds, and no package index. So is pip,
    where this environment has one.
    """
    has_pip = find_spec("pip") is not None
    venv.create(folder, with_pip=not has_pip, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in sorted(_needed([*requirements, *["pip"] * has_pip])):
        for entry in _entries(name):
            link = packages / entry.name
            if not link.exists():
                link.symlink_to(entry)
    return folder / "bin" / "python"


def wheel(folder: Path) -> str:
    """Build imgrec's; return its path."""
    return str(next(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])))


def pip(python: Path, *arguments: str, index: bool = False) -> str:
    """Run pip there, without an index or with the configured one; return what it said."""
    command = [python, "-m", "pip", "--disable-pip-version-check", *arguments]
    variables = dict(os.environ) if index else environment()
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment() -> dict[str, str]:
    """Return the variables of a process that knows of nothing but its own environment."""
    return {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PIP_NO_INDEX": "1"}


def _project() -> dict[str, Any]:
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"])


def _needed(requirements: list[str]) -> set[str]:
    """Return the names of all packages that these ask for, and those of theirs."""
    found: set[str] = set()
    waiting = [Requirement(each) for each in requirements]
    seen: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        if str(wanted) in seen:
            continue
        seen.add(str(wanted))
        found.add(re.sub(r"[-_.]+", "-", wanted.name).lower())
        waiting += _asked_by(wanted)
    return found


def _asked_by(wanted: Requirement) -> Iterator[Requirement]:
    for each in map(Requirement, distribution(wanted.name).requires or []):
        extras = wanted.extras or {""}
        if each.marker is None or any(each.marker.evaluate({"extra": e}) for e in extras):
            yield each


def _entries(name: str) -> set[Path]:
    """Return what a package has put into its folder: modules, and what pip knows of it."""
    files = distribution(name).files
    assert files, name
    tops = {file.parts[0] for file in files} - {"..", "__pycache__"}
    return {Path(str(distribution(name).locate_file(top))) for top in tops}
