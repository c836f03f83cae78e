"""The tests on every Django and Python that imgrec is for: ``nox``, ``nox -s minimum``.

Interpreters may be pyenv's or on the PATH. The encoders proper take torch: ``make test`` tests
them, here they are left out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"

PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
WITH_TORCH = {"worker", "lite", "timm"}
# What shops install beside imgrec, torch apart.
OF_SHOPS = ["api", "metrics", "map"]
DJANGOS = {"5.2": ["3.11"], "6.0": ["3.12", "3.13"], "6.1": ["3.12", "3.13"]}
TESTS = ["tests/unit", "tests/integration"]
IN_PARTS = ["--numprocesses", "3", "--dist", "loadfile"]  # each waits a quarter of its time
# A few that take seconds and neither server, and what they take.
FEW = ["tests/unit/test_ranking.py", "tests/unit/test_floors.py", "tests/unit/test_hashes.py"]
FOR_FEW = {"hypothesis", "psutil", "psycopg", "pytest", "pytest-django", "pytest-timeout"}


def pyenv(version: str) -> str:
    """Return pyenv's interpreter of that version, or what to look for on the PATH."""
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    return str(found[-1]) if found else version


def requirements(extra: str) -> list[str]:
    """Return what an extra asks for, those inside it unfolded, without those with torch."""
    found: list[str] = []
    for each in EXTRAS[extra]:
        inner = re.fullmatch(r"imgrec\[([\w,]+)\]", each)
        if inner:
            names = [name for name in inner[1].split(",") if name not in WITH_TORCH]
            found += [more for name in names for more in requirements(name)]
        else:
            found.append(each)
    return found


def floors() -> list[str]:
    """Return the oldest versions that imgrec may be installed with."""
    listed = [*PROJECT["dependencies"], *(each for name in OF_SHOPS for each in requirements(name))]
    return [re.sub(r"\[\w+\]", "", each).replace(">=", "==") for each in listed]


def from_pip() -> dict[str, str]:
    """Return in uv's words where pip is told to find packages: uv does not read pip's settings."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    told = subprocess.run(command, capture_output=True, text=True).stdout  # noqa: S603
    # "global.index-url='https://...'"; what the environment says comes before the files
    pairs = re.findall(r"^[\w:]+\.([\w-]+)='(.*)'$", told, re.MULTILINE)
    found = dict(reversed(pairs))
    words = {
        "UV_DEFAULT_INDEX": found.get("index-url"),
        "UV_INDEX": found.get("extra-index-url"),
        "UV_FIND_LINKS": ",".join(found.get("find-links", "").split()),
        "UV_INDEX_STRATEGY": "unsafe-best-match",  # as pip: the best of all indexes
        "SSL_CERT_FILE": found.get("cert"),
    }
    return {name: value for name, value in words.items() if value and name not in os.environ}


def install(session: nox.Session, *wanted: str) -> None:
    """Install imgrec from here, and what is wanted beside it."""
    session.install("--editable", ".", *wanted, env=from_pip())


every_one = nox.parametrize(
    "python,django",
    [
        nox.param(pyenv(python), django, id=f"{django}, Python {python}")
        for django, pythons in DJANGOS.items()
        for python in pythons
    ],
)


@nox.session
@every_one
def newest(session: nox.Session, django: str) -> None:
    """Run the tests with the newest of everything but Django."""
    install(session, f"django=={django}.*", *requirements("test"))
    session.run("python", "-m", "pytest", *IN_PARTS, *(session.posargs or TESTS))


@nox.session(default=False)
@every_one
def few(session: nox.Session, django: str) -> None:
    """Run a few of them, in seconds: what shows that an environment can be made at all."""
    names = {each: re.split(r"[\[>]", each)[0] for each in requirements("test")}
    install(session, f"django=={django}.*", *(each for each in names if names[each] in FOR_FEW))
    session.run("python", "-m", "pytest", *(session.posargs or FEW))


@nox.session(python=pyenv("3.11"))
def minimum(session: nox.Session) -> None:
    """Run them with the oldest of everything."""
    oldest = Path(session.create_tmp(), "oldest.txt")
    oldest.write_text("\n".join(floors()), encoding="utf-8")
    install(session, "--constraint", str(oldest), *requirements("test"))
    session.run("python", "-m", "pytest", *IN_PARTS, *(session.posargs or TESTS))
