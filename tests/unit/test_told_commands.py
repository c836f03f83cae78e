"""The commands that the documentation tells to type are there, with their options."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from importlib.util import find_spec

import pytest
from django.core.management import get_commands, load_command_class

from imgrec.conf import Settings
from tests.readme import DOCS, PAGES, QUICKSTART, commands, snippets
from tests.worker import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
# psql runs in tests/integration/test_tutorials.py, curl as well
PROGRAMS = ("make ", "pip ", "psql ", "celery ", "curl ", "python ")
# Not ours, and needed by whoever makes a release only.
TOOLS = {"build", "venv"}


def told(start: str) -> list[str]:
    """Return the commands that begin like that, without comments."""
    lines = [each.partition("  #")[0].strip() for each in commands()]
    return sorted({each for each in lines if each.startswith(start)})


@pytest.mark.parametrize("command", told("make "))
def test_make_has_the_target(command: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(rf"^{command.split()[1]}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("command", told("python manage.py "))
def test_django_has_the_command(command: str) -> None:
    name, *arguments = command.split("manage.py ")[1].split()
    command_class = load_command_class(str(get_commands()[name]), name)
    parsed = command_class.create_parser("manage.py", name).parse_args(arguments)
    assert vars(parsed)["verbosity"] == 1


@pytest.mark.parametrize("command", told("python -m "))
def test_python_has_the_module(command: str) -> None:
    name = command.split()[2]
    assert name in TOOLS or (name.startswith("benchmarks.") and find_spec(name))


@pytest.mark.slow
@pytest.mark.parametrize("command", told("python -c "))
def test_python_runs_the_line(command: str) -> None:
    code = shlex.split(command)[2]
    for needed in re.findall(r"from (\w+)", code):
        pytest.importorskip(needed, reason=f"{needed} is not installed")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("https://")


@pytest.mark.parametrize("command", told("celery "))
def test_the_worker_is_of_the_project_described(command: str) -> None:
    words = command.split()
    project = words[words.index("-A") + 1]
    files = {each.file for each in snippets("python", page=QUICKSTART)}
    assert {f"{project}/celery.py", f"{project}/__init__.py"} <= files
    assert words[words.index("-Q") + 1] == Settings.queue


@pytest.mark.parametrize("command", told("pip "))
def test_pip_installs_what_is_tested(command: str) -> None:
    ours = [each for extra in EXTRAS.values() for each in extra]
    names = {re.split(r"[\[<>=]", each)[0] for each in [*PROJECT["dependencies"], *ours]}
    imgrec = {"imgrec", *(f"imgrec[{extra}]" for extra in EXTRAS)}
    _pip, _install, *packages = [e for e in shlex.split(command) if e != "--upgrade"]
    if packages[0] == "-r":
        assert (ROOT / packages[1]).is_file()
        return
    assert packages
    assert {each for each in packages if each.split("[")[0] not in names} <= imgrec


def test_pip_has_the_extras() -> None:
    text = "".join(page.read_text() for page in PAGES)
    named = {
        extra for group in re.findall(r"imgrec\[([\w,]+)\]", text) for extra in group.split(",")
    }
    assert named
    assert named <= set(EXTRAS)


def test_curl_is_only_where_its_answers_are_looked_at() -> None:
    pages = {each.page for each in snippets("sh") if "curl" in each.code}
    assert pages == {DOCS / "tutorials" / "api-only.md"}


def test_no_command_is_of_a_kind_nobody_checks() -> None:
    assert [each for each in commands() if not each.startswith(PROGRAMS)] == []
