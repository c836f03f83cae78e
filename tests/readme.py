"""The README and the pages in docs/, taken apart: code, tables, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from docs import generating
from tests.worker import ROOT

README = ROOT / "README.md"
DOCS = ROOT / "docs"
QUICKSTART = DOCS / "tutorials" / "quickstart.md"
PAGES = [README, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]

_FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^>]+) -->\n\n?)?^```(?P<language>[\w{}-]*)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"!?\[(?:[^\]]*)\]\(([^)\s]+)\)")
_FILE = re.compile(r"# (\S+\.py)\n")


@dataclass(frozen=True)
class Snippet:
    """A block of code; ``file`` is what its first line says it belongs to, or empty.

    ``reason``: why it cannot be run, where the page says so.
    """

    page: Path
    line: int
    language: str
    code: str
    reason: str = ""

    @property
    def file(self) -> str:
        found = _FILE.match(self.code)
        return found[1] if found else ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def snippets(language: str, *, page: Path | None = None) -> list[Snippet]:
    """Return the blocks of that language on one page, or on all."""
    return [
        Snippet(
            path,
            text.count("\n", 0, found.start()) + 1,
            language,
            found["code"],
            found["reason"] or "",
        )
        for path in ([page] if page else PAGES)
        for text in [path.read_text(encoding="utf-8")]
        for found in _FENCE.finditer(text)
        if found["language"] == language
    ]


def commands() -> list[str]:
    """Return every line of every shell snippet."""
    return [line for each in snippets("sh") for line in each.code.splitlines() if line]


def table(heading: str, *, page: Path) -> dict[str, list[str]]:
    """Return the table below a heading, by the name in its first column."""
    section = prose(page).split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in rows}


def links(page: Path) -> list[str]:
    """Return where a page links to, pictures included."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """Return the names of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def prose(page: Path) -> str:
    """Return a page with what is generated, and without its blocks of code."""
    return _FENCE.sub("", generating.filled(page.read_text(encoding="utf-8")))
