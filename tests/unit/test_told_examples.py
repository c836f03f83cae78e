"""What the tutorials show of an example is in the example, word for word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.readme import DOCS, Snippet, snippets
from tests.worker import ROOT

PAGE = DOCS / "tutorials" / "wagtail.md"
EXAMPLE = ROOT / "examples" / "wagtail"
SHOWN = [*snippets("python", page=PAGE), *snippets("django", page=PAGE)]


def lines_of(text: str) -> set[str]:
    """Return the lines that say something."""
    return {line.strip() for line in text.splitlines() if re.search(r"\w", line)}


def files_of(snippet: Snippet) -> list[Path]:
    """Return the file that a snippet names, or all templates."""
    named = [EXAMPLE / snippet.file] if snippet.file else []
    return named or sorted(EXAMPLE.rglob("*.html"))


@pytest.mark.parametrize("snippet", SHOWN, ids=str)
def test_what_is_shown_is_in_the_example(snippet: Snippet) -> None:
    written = lines_of("\n".join(each.read_text(encoding="utf-8") for each in files_of(snippet)))
    told = lines_of(snippet.code) - {f"# {snippet.file}"}
    assert told
    assert told - written == set()
