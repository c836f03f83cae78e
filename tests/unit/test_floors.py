"""What is installed beside imgrec and too old is told when Django starts."""

from __future__ import annotations

import tomllib

import pytest

from imgrec import checks, floors
from tests.worker import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def as_metadata(name: str = "imgrec") -> list[str]:
    """Return what pip writes down of pyproject.toml, which a mere checkout lacks."""
    extras = PROJECT["optional-dependencies"].items()
    of_extras = [f"{each}; extra == '{extra}'" for extra, listed in extras for each in listed]
    return [*PROJECT["dependencies"], *of_extras]


@pytest.fixture(autouse=True)
def _metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floors, "requires", as_metadata)


def declared() -> dict[str, str]:
    """Return the floors of the packages that shops install, as pyproject.toml has them."""
    extras = PROJECT["optional-dependencies"]
    of_extras = [each for name in floors.EXTRAS if name for each in extras[name]]
    pairs = (each.split(">=") for each in [*PROJECT["dependencies"], *of_extras] if ">=" in each)
    return {name.partition("[")[0]: floor for name, floor in pairs}


def test_the_floors_are_those_of_the_project() -> None:
    found = dict(floors.asked_for())
    assert found == declared()
    assert {"django", "pillow", "torch", "djangorestframework"} <= set(found)


def test_what_is_installed_here_will_do() -> None:
    assert {"django", "pillow"} <= {each.package for each in floors.floors()}
    assert checks.check_floors() == []


@pytest.mark.parametrize(
    ("installed", "too_old"),
    [("12.2.9", True), ("12.3", False), ("12.3.0+local", False), ("12.10", False), ("2", True)],
)
def test_numbers_are_compared_as_numbers(installed: str, too_old: bool) -> None:
    assert floors.Floor("pillow", "12.3", installed).is_too_old is too_old


def test_an_old_one_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floors, "version", lambda name: "1.0" if name == "pillow" else "99")
    (message,) = checks.check_floors()
    assert message.id == "imgrec.W004"
    assert message.msg.startswith("pillow 1.0 is older than 12.")
    assert "pip install --upgrade" in str(message.hint)


def test_an_extra_that_is_not_there_is_none_of_our_business(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent(name: str) -> str:
        raise floors.PackageNotFoundError(name)

    monkeypatch.setattr(floors, "version", absent)
    assert checks.check_floors() == []
    monkeypatch.setattr(floors, "requires", absent)
    assert list(floors.asked_for()) == []
