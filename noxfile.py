"""The tests on every Django and Python that imgrec is for: ``nox``, ``nox -s minimum``.

Interpreters may be pyenv's or on the PATH. The encoders proper take torch: ``make test`` tests
them, here they are left out.
"""

from __future__ import annotations

import re
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


@nox.session
@nox.parametrize(
    "python,django",
    [
        nox.param(pyenv(python), django, id=f"{django}, Python {python}")
        for django, pythons in DJANGOS.items()
        for python in pythons
    ],
)
def newest(session: nox.Session, django: str) -> None:
    """Run the tests with the newest of everything but Django."""
    session.install("--editable", ".", f"django=={django}.*", *requirements("test"))
    session.run("python", "-m", "pytest", *(session.posargs or TESTS))


@nox.session(python=pyenv("3.11"))
def minimum(session: nox.Session) -> None:
    """Run them with the oldest of everything."""
    oldest = Path(session.create_tmp(), "oldest.txt")
    oldest.write_text("\n".join(floors()), encoding="utf-8")
    session.install("--editable", ".", "--constraint", str(oldest), *requirements("test"))
    session.run("python", "-m", "pytest", *(session.posargs or TESTS))
