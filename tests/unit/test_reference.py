"""The reference that is written from the code leaves nothing out."""

from __future__ import annotations

import ast
import re
from dataclasses import MISSING, fields
from typing import Any

import pytest
from django.core.management import load_command_class
from django.dispatch import Signal

import imgrec
from docs import generating
from docs.generating import checks, commands, names, reasons, rooms, settings
from imgrec import signals
from imgrec.conf import Settings
from imgrec.reasons import Reason
from imgrec.templatetags.imgrec import register
from tests.imports import rooms as all_rooms
from tests.readme import PAGES
from tests.worker import ROOT

SOURCES = [path.read_text() for path in (ROOT / "imgrec").rglob("*.py")]


def rows(table: str) -> list[list[str]]:
    """Return the cells of a table's rows, the first without its backticks."""
    lines = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return [[cells[0].strip("`"), *cells[1:]] for cells in lines]


def default(field: Any) -> Any:
    return field.default if field.default is not MISSING else field.default_factory()


def test_every_setting_has_its_default() -> None:
    told = {key: ast.literal_eval(cell.strip("`")) for key, cell, _told in rows(settings.table())}
    assert told == {each.name: default(each) for each in fields(Settings)}
    assert list(map(type, told.values())) == [type(default(each)) for each in fields(Settings)]


def test_every_setting_has_a_meaning() -> None:
    told = {key: meaning for key, _default, meaning in rows(settings.table())}
    assert [key for key, meaning in told.items() if not meaning.endswith((".", "imgrec"))] == []
    assert "no image yet" in told["placeholder_above"]
    assert told["photo_at_once"] != told["photo_per_minute"]


def test_every_check_is_there() -> None:
    ids = {found for text in SOURCES for found in re.findall(r'id="(imgrec\.[EW]\d{3})"', text)}
    assert {each.id for each in checks.all_checks()} == ids


def test_checks_tell_what_they_found_and_the_way_out() -> None:
    for each in checks.all_checks():
        assert each.text.endswith((".", "}"))
        assert each.hint
    hints = {each.id: each.hint for each in checks.all_checks()}
    assert "django.db.backends.postgresql" in hints["imgrec.E008"]
    assert hints["imgrec.E009"].startswith("Route the app")
    assert hints["imgrec.E002"].endswith("Known: {known_keys}.")


def test_nothing_names_a_check_there_is_not() -> None:
    texts = [*SOURCES, *(page.read_text() for page in PAGES)]
    named = {found for text in texts for found in re.findall(r"imgrec\.[EW]\d{3}", text)}
    assert named <= {each.id for each in checks.all_checks()}


def test_every_reason_is_there() -> None:
    assert [cells[0] for cells in rows(reasons.table())] == list(Reason.values)


def test_every_command_is_there() -> None:
    folder = ROOT / "imgrec" / "management" / "commands"
    assert commands.names() == sorted(path.stem for path in folder.glob("imgrec_*.py"))


@pytest.mark.parametrize("name", commands.names())
def test_every_option_is_told(name: str) -> None:
    section = commands.sections().split(f"## {name}\n")[1].split("\n## ")[0]
    own = vars(load_command_class("imgrec", name).create_parser("", name).parse_args(_least(name)))
    told = {each.dest for each in commands.actions(name)}
    assert told <= own.keys()
    for each in commands.actions(name):
        (line,) = [row for row in rows(_table(section)) if row[0] == commands._called(each)]
        assert line[-1].strip(), each
        assert "%(" not in line[-1]


def _table(section: str) -> str:
    return "\n".join(line for line in section.splitlines() if line.startswith("|"))


def _least(name: str) -> list[str]:
    return ["shop.Product" for each in commands.actions(name) if _is_needed(each)]


def _is_needed(action: Any) -> bool:
    return action.required and not action.option_strings


def test_every_public_name_is_documented() -> None:
    told = set(re.findall(r"^\.\. auto\w+:: imgrec\.(\w+)$", names.public(), re.MULTILINE))
    assert told == set(imgrec.__all__) - {"__version__"}
    assert all(getattr(imgrec, name).__doc__ for name in told)


def test_every_tag_is_documented() -> None:
    assert all(f"imgrec.{name}" in names.tags() for name in register.tags)
    assert "PictureError" in names.errors()


def test_every_signal_is_documented() -> None:
    sent = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
    assert all(f"\n``{name}``, " in str(signals.__doc__) for name in sent)


def test_every_group_of_rooms_is_told() -> None:
    assert list(rooms.groups()) == ["FOUNDATION", "WRITE", "READ", "FACES"]
    for group in rooms.groups().values():
        assert set(group) <= all_rooms().keys()
    assert all(cells[-1].strip() for cells in rows(rooms.tables()) if len(cells) > 1)


def test_every_part_has_a_page() -> None:
    texts = "".join(page.read_text() for page in PAGES)
    assert set(re.findall(r"^<!-- generated: (\w+) -->$", texts, re.MULTILINE)) == set(
        generating.PARTS
    )
