"""Rules as CSV: written for spreadsheets, and read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from imgrec.rules import FIELDS, Rule

COLUMNS = ("id", *FIELDS)
MOST_ROWS = 5_000
MOST_BYTES = 2_000_000
# What a spreadsheet would take for a formula is written behind an apostrophe, and read without.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


class FileRefused(ValueError):
    """The file as a whole cannot be read; the message says why and what can."""


def written(rules: Iterable[Rule]) -> Iterator[str]:
    """Yield the lines of a file of these rules."""
    yield _line(COLUMNS)
    for rule in rules:
        yield _line(guarded(_text(getattr(rule, name))) for name in COLUMNS)


def read(data: bytes) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a file with the number of the line that each ends in.

    Raises:
        FileRefused: it is no such file.
    """
    if len(data) > MOST_BYTES:
        text = _("The file has more than %(most)s bytes: import it in parts.")
        raise FileRefused(text % {"most": number_format(MOST_BYTES, force_grouping=True)})
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileRefused(_("The file is not UTF-8: save it as CSV UTF-8.")) from error
    dialect = ";" if text.partition("\n")[0].count(";") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=dialect, restval="")
    columns = [(name or "").strip() for name in reader.fieldnames or []]
    missing = [name for name in ("action", "target_value", "beside") if name not in columns]
    unknown = [name for name in columns if name not in COLUMNS]
    if missing or unknown:
        text = _("Columns unknown: %(wrong)s. There are: %(all)s.")
        if not unknown:
            text = _("Columns missing: %(wrong)s. There are: %(all)s.")
        wrong = ", ".join(unknown or missing)
        raise FileRefused(text % {"wrong": wrong, "all": ", ".join(COLUMNS)})
    reader.fieldnames = columns
    return _rows(reader)


def _rows(reader: csv.DictReader[str]) -> list[tuple[int, dict[str, str]]]:
    found: list[tuple[int, dict[str, str]]] = []
    try:
        for row in reader:
            if None in row:
                text = _("Line %(number)s has more cells than columns.")
                raise FileRefused(text % {"number": reader.line_num})
            values = {name: _unguarded((value or "").strip()) for name, value in row.items()}
            if any(values.values()):
                found.append((reader.line_num, values))
            if len(found) > MOST_ROWS:
                text = _("The file has more than %(most)s rules: import it in parts.")
                raise FileRefused(text % {"most": number_format(MOST_ROWS, force_grouping=True)})
    except csv.Error as error:
        text = _("Line %(number)s: %(error)s")
        raise FileRefused(text % {"number": reader.line_num, "error": error}) from error
    return found


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith((*FORMULAS, "'")) else text


def _unguarded(text: str) -> str:
    is_guarded = text.startswith("'") and text[1:].startswith((*FORMULAS, "'"))
    return text[1:] if is_guarded else text
