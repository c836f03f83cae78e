"""Every command of imgrec, as its parser has it."""

from __future__ import annotations

from argparse import SUPPRESS, Action, HelpFormatter
from functools import partial

from django.core.management import BaseCommand, get_commands, load_command_class

from docs.generating.tables import table as markdown


def names() -> list[str]:
    """Return the names of imgrec's commands."""
    return sorted(name for name, app in get_commands().items() if app == "imgrec")


def sections() -> str:
    """Return a section for each command: what it does, its usage, its options."""
    return "\n\n".join(map(_section, names()))


def _section(name: str) -> str:
    parser = load_command_class("imgrec", name).create_parser("manage.py", name)
    parser.formatter_class = partial(HelpFormatter, width=90)
    own = actions(name)
    formatter = parser._get_formatter()
    formatter.add_usage(None, own, parser._mutually_exclusive_groups, prefix="")
    usage = formatter.format_help().strip()
    rows = [(f"`{_called(each)}`", _told(each)) for each in own]
    parts = [f"## {name}", str(parser.description), f"```text\n{usage}\n```"]
    return "\n\n".join([*parts, markdown(("option", "meaning"), rows)] if rows else parts)


def actions(name: str) -> list[Action]:
    """Return the options and arguments of a command that not every Django command has."""
    every = BaseCommand().create_parser("manage.py", name)._actions
    known = {option for each in every for option in each.option_strings}
    found = load_command_class("imgrec", name).create_parser("manage.py", name)._actions
    return [each for each in found if not known & set(each.option_strings)]


def _called(action: Action) -> str:
    """Return an option with the name of its value, an argument by its name."""
    if not action.option_strings:
        return str(action.metavar or action.dest)
    options = ", ".join(action.option_strings)
    if action.nargs == 0:
        return options
    return f"{options} {action.metavar or action.dest.upper()}"


def _told(action: Action) -> str:
    values = {"default": action.default, "prog": "manage.py"}
    return "" if action.help in (None, SUPPRESS) else str(action.help) % values
