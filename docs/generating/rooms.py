"""The rooms of the package by the group the tests keep apart, each by its first sentence."""

from __future__ import annotations

import ast
from pathlib import Path

from docs.generating.tables import table as markdown

ROOT = Path(__file__).parents[2]
RULES = ROOT / "tests" / "unit" / "test_architecture.py"


def tables() -> str:
    """Return a section with a table for each group."""
    return "\n\n".join(f"### {name.title()}\n\n{_table(rooms)}" for name, rooms in groups().items())


def groups() -> dict[str, list[str]]:
    """Return the groups that the tests name, and the rooms in each."""
    return {
        str(node.targets[0].id): [ast.literal_eval(each) for each in node.value.args]
        for node in ast.parse(RULES.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "of"
    }


def _table(rooms: list[str]) -> str:
    return markdown(("room", ""), [(f"`{room}`", _first_sentence(room)) for room in sorted(rooms)])


def _first_sentence(room: str) -> str:
    """Return what a module says of itself first; reST's double backticks become single ones."""
    path = ROOT / "imgrec" / room.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return said.split("\n\n")[0].replace("``", "`")
