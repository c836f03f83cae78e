"""What is published: the package's files, its version, what it asks for."""

from __future__ import annotations

import re
import tarfile
import tomllib
import zipfile
from pathlib import Path, PurePath

import pytest
from hatchling.builders.sdist import SdistBuilder
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


@pytest.mark.parametrize(
    "kind",
    [
        "templates/imgrec/*.html",
        "templates/imgrec/admin/*.html",
        "static/imgrec/*.js",
        "static/imgrec/*.css",
        "locale/*/LC_MESSAGES/*.mo",
        "migrations/0*.py",
        "py.typed",
    ],
)
def test_the_wheel_holds_every_kind_of_file(wheel: list[str], kind: str) -> None:
    assert [name for name in wheel if PurePath(name).match(f"imgrec/{kind}")]


def test_the_wheel_holds_nothing_else(wheel: list[str]) -> None:
    roots = {Path(name).parts[0] for name in wheel}
    assert roots == {"imgrec", f"imgrec-{imgrec.__version__}.dist-info"}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in the source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    path = next(SdistBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"]))
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"imgrec-{imgrec.__version__}"


def test_the_source_holds_the_package_and_what_is_said_of_it(unpacked: Path) -> None:
    assert {path.name for path in unpacked.iterdir()} == {
        ".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "imgrec",
        "pyproject.toml",
    }  # fmt: skip


def test_the_source_makes_the_same_wheel(wheel: list[str], unpacked: Path, tmp_path: Path) -> None:
    path = next(WheelBuilder(str(unpacked)).build(directory=str(tmp_path), versions=["standard"]))
    assert sorted(zipfile.ZipFile(path).namelist()) == sorted(wheel)


def test_an_ordinary_install_brings_neither_torch_nor_rest_framework() -> None:
    names = {re.split(r"[\[<>=]", each)[0] for each in PROJECT["dependencies"]}
    assert names == {
        "celery", "django", "kombu", "numpy", "pgvector", "pillow", "psycopg", "redis",
    }  # fmt: skip


def test_extras() -> None:
    extras = {"worker", "api", "lite", "timm", "metrics", "map", "demo", "docs", "test"}
    extras |= {"matrix", "bench", "openapi"}
    assert set(PROJECT["optional-dependencies"]) == extras


def test_every_dependency_has_a_floor() -> None:
    extras = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]
    for each in [*PROJECT["dependencies"], *extras]:
        assert each.startswith("imgrec[") or ">=" in each


def test_the_changelog_tells_of_this_version() -> None:
    assert f"## {imgrec.__version__}" in (ROOT / "CHANGELOG.md").read_text()
