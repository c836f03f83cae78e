"""imgrec's texts, as its code and templates say them, and the catalogues that translate them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.template.base import Lexer, TokenType
from django.utils.translation.template import templatize

from tests.worker import ROOT

PACKAGE = ROOT / "imgrec"
GERMAN = PACKAGE / "locale" / "de" / "LC_MESSAGES" / "django.po"
TEMPLATES = sorted((PACKAGE / "templates").rglob("*.html"))
# Where each of Django's functions has the text, its plural and its context.
_PLAIN: dict[str, Any] = {
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
FUNCTIONS = {
    "_": None,
    "gettext_noop": None,
    **_PLAIN,
    **{f"{name}_lazy": places for name, places in _PLAIN.items()},
}
# Attributes that people read or hear.
SAID = {"alt", "aria-label", "placeholder", "title"}
PASSED_OVER = {"blocktranslate", "comment"}

# A context or None, and a text with its plural or without.
Text = tuple[str | None, str | tuple[str, ...]]


@cache
def texts() -> dict[Text, str]:
    """Return all texts of the package, each with a file that says it."""
    files = [*sorted(PACKAGE.rglob("*.py")), *TEMPLATES]
    return {
        text: str(path.relative_to(ROOT))
        for path in files
        for text in texts_in(path.read_text(), is_template=path.suffix == ".html")
    }


def texts_in(source: str, *, is_template: bool = False) -> Iterator[Text]:
    """Yield what a module or a template has translated."""
    code = templatize(source, origin=None) if is_template else source
    for _line, text, _comments, context in extract("python", BytesIO(code.encode()), FUNCTIONS):
        yield context, text if isinstance(text, str) else tuple(text)


def catalogue(path: Path) -> dict[Text, Message]:
    """Return the entries of a catalogue, written (.po) or compiled (.mo), without its header."""
    return {(entry.context, _as_key(entry.id)): entry for entry in read(path) if entry.id}


def read(path: Path) -> Catalog:
    """Return a catalogue with its header."""
    reader = read_mo if path.suffix == ".mo" else read_po
    with path.open("rb") as file:
        return reader(file)


def forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Return a text, or it and its plural, as a tuple."""
    return (text,) if isinstance(text, str) else tuple(text)


def _as_key(text: str | tuple[str, ...] | list[str]) -> str | tuple[str, ...]:
    return text if isinstance(text, str) else tuple(text)


def untranslated(template: str) -> list[str]:
    """Return what a template says in one language only: words between its tags."""
    reader = _Words()
    reader.feed(_without_tags(template))
    reader.close()
    return [" ".join(words.split()) for words in reader.found if any(map(str.isalpha, words))]


def _without_tags(template: str) -> str:
    """Return a template's own HTML, without what nobody reads or is translated."""
    kept, until = [], ""
    for token in Lexer(template).tokenize():
        word = token.contents.split(" ")[0] if token.token_type is TokenType.BLOCK else ""
        if until:
            until = "" if word == until else until
        elif word in PASSED_OVER or token.contents == "block bodyclass":
            until = f"end{word}"
        elif token.token_type is TokenType.TEXT:
            kept.append(token.contents)
    return "".join(kept)


class _Words(HTMLParser):
    """Collects what a page says, in text and in attributes; code and keys say nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._is_code = tag in {"code", "kbd", "script", "style"}
        read = SAID | ({"value"} if given.get("type") == "submit" else set())
        self.found += [value or "" for name, value in attrs if name in read]

    def handle_endtag(self, tag: str) -> None:
        self._is_code = False

    def handle_data(self, data: str) -> None:
        if not self._is_code:
            self.found.append(data)
