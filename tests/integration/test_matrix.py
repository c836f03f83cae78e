"""The matrix of ``make matrix``; one of its sessions runs a few tests here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.worker import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("nox") is None or find_spec("uv") is None, reason='pip install "imgrec[matrix]"'
    ),
    pytest.mark.skipif("NOX_CURRENT_SESSION" in os.environ, reason="the matrix runs already"),
]

NO_INDEX = re.compile(r"Failed to fetch|error sending request|dns error", re.IGNORECASE)


def test_a_session_makes_its_environment_and_a_few_tests_pass_in_it(tmp_path: Path) -> None:
    """Of the newest Django and Python there are, which may not be those of this very test."""
    done = nox("--envdir", str(tmp_path), "--session", _newest())
    said = done.stdout + done.stderr
    if done.returncode and NO_INDEX.search(said):
        pytest.skip(f"no package index: {said[-300:]}")
    assert done.returncode == 0, said
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None, said
    assert int(passed[1]) > 0


def test_each_django_that_the_package_names_has_its_sessions() -> None:
    named = re.findall(r"Framework :: Django :: ([\d.]+)", (ROOT / "pyproject.toml").read_text())
    assert {each["call_spec"]["django"] for each in sessions("newest")} == set(named)
    assert len(sessions("minimum")) == 1


def test_uv_is_told_what_pip_is_told(tmp_path: Path) -> None:
    """In a session's own words: nox says how it calls uv, and uv where it looked."""
    told = tmp_path / "pip.conf"
    told.write_text("[global]\nindex-url = http://127.0.0.1:9/simple\n")
    session = _newest()
    variables = {"PIP_CONFIG_FILE": str(told), "UV_NO_CACHE": "1", "UV_HTTP_RETRIES": "0"}
    done = nox("--envdir", str(tmp_path / "made"), "--session", session, **variables)
    assert done.returncode != 0
    assert "127.0.0.1:9/simple" in done.stdout + done.stderr


def sessions(name: str) -> list[dict[str, Any]]:
    """Return the sessions of that name, the newest last."""
    listed: list[dict[str, Any]] = json.loads(nox("--list", "--json", "--session", name).stdout)
    return listed


def nox(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run nox as ``make matrix`` does."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "nox", *arguments],
        cwd=ROOT,
        env={**ours, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **variables},
        capture_output=True,
        text=True,
    )


def _newest() -> str:
    """Return the last session whose interpreter is there."""
    there = [each["session"] for each in sessions("few") if _has_python(each["python"])]
    if not there:
        pytest.skip("none of the matrix's interpreters: pyenv install 3.13")
    return there[-1]


def _has_python(named: str) -> bool:
    """Whether an interpreter is there: its path, or the version to look for."""
    return Path(named).is_file() or shutil.which(f"python{named}") is not None
