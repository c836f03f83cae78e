"""Which room of imgrec imports which, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.worker import ROOT


@cache
def rooms() -> dict[str, Path]:
    """Return every module of imgrec by its name without the leading ``imgrec.``."""
    folder = ROOT / "imgrec"
    found = {}
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).with_suffix("").parts
        if "migrations" not in parts:
            found[".".join(parts).removesuffix(".__init__")] = path
    found["imgrec"] = found.pop("__init__")
    return found


@cache
def imports(room: str, *, deferred: bool = True) -> frozenset[str]:
    """Return what a room imports: rooms by their name, other modules in full.

    Imports for type checkers only do not count; those inside functions do if ``deferred``.
    """
    tree = ast.parse(rooms()[room].read_text())
    return frozenset(name for node in _statements(tree, deferred) for name in _names(node))


@cache
def reached(room: str) -> frozenset[str]:
    """Return every room that ``room`` imports, or that one of those imports."""
    seen: set[str] = set()
    waiting = [room]
    while waiting:
        new = (imports(waiting.pop()) & rooms().keys()) - seen
        seen |= new
        waiting += new
    return frozenset(seen)


def of(*names: str) -> frozenset[str]:
    """Return the rooms of these names, and all inside them (``of("embedders")``)."""
    return frozenset(
        room for room in rooms() for name in names if room == name or room.startswith(f"{name}.")
    )


def _statements(node: ast.AST, deferred: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        elif deferred or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _statements(child, deferred)


def _names(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    for alias in node.names:
        whole = alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
        # "from imgrec.conf import settings" names the room imgrec.conf, not imgrec.conf.settings.
        for name in (whole, whole.rpartition(".")[0]):
            room = name.removeprefix("imgrec.")
            if f"{name}.".startswith("imgrec.") and room in rooms():
                yield room
                break
        else:
            yield whole
