"""Every code that the API may raise is one that it tells of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("rest_framework", reason="Django REST framework is not installed")

from django.core import validators

from imgrec import errors
from imgrec.rest_framework import codes
from imgrec.rest_framework.serializers import SearchOptions
from tests.worker import ROOT

PACKAGE = ROOT / "imgrec"
# Of numbers and nulls in JSON, which no option comes in, and of a shortest text, which none has.
NEVER = {"min_length", "null", "overflow"}


def _raised(file: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node.func.id if isinstance(node.func, ast.Name) else node.func.attr, node


def _code(name: str, call: ast.Call) -> str | None:
    """Return the code that a call says in so many words."""
    place = {"ApiError": 1, "PhotoSearchUnavailable": 0}.get(name)
    said = [each.value for each in call.keywords if each.arg == "code"]
    said += call.args[place : place + 1] if place is not None else []
    words = [each.value for each in said if isinstance(each, ast.Constant)]
    return str(words[0]) if words else None


def _said(folder: Path, *names: str) -> set[str]:
    calls = [each for file in folder.rglob("*.py") for each in _raised(file)]
    found = {_code(name, call) for name, call in calls if name in names}
    return {each for each in found if each}


def test_every_code_in_the_source_is_told() -> None:
    ours = _said(PACKAGE / "rest_framework", "ApiError", "ValidationError")
    assert {"not_found", "no_such_page", "not_with_part", "no_price"} <= ours
    searching = _said(PACKAGE, "PhotoSearchUnavailable")
    assert {"off", "no_answer"} <= searching
    parts = {errors.NoFeatureMap.code, errors.NothingSeen.code}
    assert ours | searching | parts <= codes.CODES.keys()


def test_every_complaint_of_an_option_is_told() -> None:
    fields = SearchOptions().fields.values()
    words = {word for field in fields for word in field.error_messages}
    checks = [each for field in fields for each in field.validators]
    words |= {each.code for each in checks if isinstance(each, validators.BaseValidator)}
    assert {"invalid", "max_length", "min_value"} <= words
    assert words - NEVER <= codes.CODES.keys()
