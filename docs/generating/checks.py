"""Every check with its message and its hint, read from the calls that make them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.generating.tables import table as markdown

PACKAGE = Path(__file__).parents[2] / "imgrec"
UNTOLD = "The hint of the check says what."


@dataclass(frozen=True)
class Check:
    """One way in which a check speaks up; an id may have several."""

    id: str
    text: str
    hint: str


def table() -> str:
    """Return the table of checks."""
    rows = [(f"`{each.id}`", each.text, each.hint) for each in all_checks()]
    return markdown(("id", "what it found", "what to do"), rows)


def all_checks() -> list[Check]:
    """Return the checks by their ids, errors first."""
    found = [each for path in sorted(PACKAGE.rglob("*.py")) for each in _in(path)]
    return sorted(found, key=lambda each: each.id)


def _in(path: Path) -> Iterator[Check]:
    for scope in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(scope, ast.FunctionDef):
            for node in ast.walk(scope):
                if isinstance(node, ast.Call) and (made := _made(node, scope)):
                    yield made


def _made(call: ast.Call, scope: ast.FunctionDef) -> Check | None:
    """Return the check that ``Error(text, hint=…, id="imgrec.E…")`` makes, if it is such a call."""
    given = {each.arg: each.value for each in call.keywords}
    id = given.get("id")
    if not isinstance(id, ast.Constant) or not str(id.value).startswith("imgrec."):
        return None
    names = _names(scope, before=call.lineno)
    hint = _told(given["hint"], names)
    return Check(str(id.value), _told(call.args[0], names), hint or UNTOLD)


def _names(scope: ast.FunctionDef, *, before: int) -> dict[str, ast.expr]:
    """Return what the names of a function stand for in a line, where it is said by itself."""
    said = [node for node in ast.walk(scope) if isinstance(node, ast.Assign)]
    return {
        target.id: node.value
        for node in sorted(said, key=lambda each: each.lineno)
        for target in node.targets
        if isinstance(target, ast.Name) and node.lineno < before
    }


def _told(node: ast.expr, names: dict[str, ast.expr]) -> str:
    """Return a text with {words} for what is filled in; "" where it is made elsewhere."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_told(each, {}) or "{" + _word(each) + "}" for each in node.values)
    if isinstance(node, ast.IfExp):
        return " ".join(filter(None, (_told(node.body, names), _told(node.orelse, names))))
    if isinstance(node, ast.Name) and node.id in names:
        return _told(names[node.id], {})
    return ""


def _word(node: ast.expr) -> str:
    """Return what an expression is about: ``space.model._meta.label`` is "label"."""
    inside = [each for each in ast.walk(node) if isinstance(each, ast.Attribute | ast.Name)]
    called = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
    plain = [each for each in inside if each not in called]
    # where all are called, as in ", ".join(known_keys()), a function rather than a method
    functions = [each for each in inside if isinstance(each, ast.Name)]
    first = (plain or functions)[0]
    return first.attr if isinstance(first, ast.Attribute) else first.id
