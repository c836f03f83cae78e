"""What is published: the package's files, its version, what it asks for."""

from __future__ import annotations

import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

import imgrec
from tests.worker import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    path = next(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"]))
    return zipfile.ZipFile(path).namelist()


def test_the_wheel_holds_the_whole_package(wheel: list[str]) -> None:
    files = [path for path in (ROOT / "imgrec").rglob("*") if path.is_file()]
    ours = {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}
    assert ours <= set(wheel)
    assert "imgrec/py.typed" in wheel


def test_the_wheel_holds_nothing_else(wheel: list[str]) -> None:
    roots = {Path(name).parts[0] for name in wheel}
    assert roots == {"imgrec", f"imgrec-{imgrec.__version__}.dist-info"}


def test_an_ordinary_install_brings_neither_torch_nor_rest_framework() -> None:
    names = {re.split(r"[\[<>=]", each)[0] for each in PROJECT["dependencies"]}
    assert names == {
        "celery", "django", "kombu", "numpy", "pgvector", "pillow", "psycopg", "redis",
    }  # fmt: skip


def test_extras() -> None:
    extras = {"worker", "api", "openapi", "lite", "timm", "metrics", "map", "demo", "test", "bench"}
    assert set(PROJECT["optional-dependencies"]) == extras


def test_every_dependency_has_a_floor() -> None:
    extras = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]
    for each in [*PROJECT["dependencies"], *extras]:
        assert each.startswith("imgrec[") or ">=" in each


def test_the_changelog_tells_of_this_version() -> None:
    assert f"## {imgrec.__version__}" in (ROOT / "CHANGELOG.md").read_text()
