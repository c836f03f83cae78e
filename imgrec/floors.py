"""What imgrec stands on, and how old it may be: older versions have known holes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import NamedTuple

# Extras that shops install; the others are for working on imgrec itself.
EXTRAS = ("", "worker", "api", "lite", "timm")

_REQUIREMENT = re.compile(
    r"(?P<name>[\w.-]+)\s*(?:\[[\w,\s-]+\])?\s*>=\s*(?P<floor>\d+(?:\.\d+)*)[^;]*"
    r"(?:;\s*extra\s*==\s*['\"](?P<extra>\w+)['\"])?\s*$"
)


class Floor(NamedTuple):
    """A package, the oldest version that will do, and what is installed."""

    package: str
    floor: str
    installed: str

    @property
    def is_too_old(self) -> bool:
        """Return whether the installed version is below the floor."""
        return numbers(self.installed) < numbers(self.floor)


def floors() -> Iterator[Floor]:
    """Yield the packages that are installed, of those imgrec's own metadata asks for."""
    for name, floor in asked_for():
        try:
            yield Floor(name, floor, version(name))
        except PackageNotFoundError:
            continue  # an extra that this process does without


def asked_for() -> Iterator[tuple[str, str]]:
    """Yield each package that imgrec asks for and the oldest version it takes."""
    try:
        told = requires("imgrec") or []
    except PackageNotFoundError:
        return  # copied rather than installed: pip was never asked
    for requirement in told:
        found = _REQUIREMENT.match(requirement)
        if found and (found["extra"] or "") in EXTRAS:
            yield found["name"], found["floor"]


def numbers(text: str) -> tuple[int, ...]:
    """Return a version's leading numbers: (2, 10) of "2.10rc1", (2, 10, 1) of "2.10.1+cpu"."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, found[0].split("."))) if found else ()
