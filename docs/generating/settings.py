"""Every key of ``IMGREC``: its default from the dataclass, its meaning from the comment above."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, Field, fields
from typing import Any

from docs.generating.tables import table as markdown
from imgrec.conf import Settings


def table() -> str:
    """Return the table of settings."""
    meaning = comments()
    rows = [(f"`{f.name}`", f"`{default(f)}`", meaning[f.name]) for f in fields(Settings)]
    return markdown(("key", "default", "meaning"), rows)


def default(field: Field[Any]) -> str:
    """Return a default as one writes it, with large numbers in groups of three."""
    if field.default is MISSING:
        return repr(field.default_factory())  # type: ignore[misc]
    value = field.default
    if type(value) is int and value >= 10_000:
        return f"{value:_}"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def comments() -> dict[str, str]:
    """Return the comment above each key; a key right below another shares its comment."""
    names = {field.name for field in fields(Settings)}
    found: dict[str, str] = {}
    said: list[str] = []
    is_new = True
    for line in map(str.strip, inspect.getsource(Settings).splitlines()):
        if line.startswith("#"):
            said = [*([] if is_new else said), line.removeprefix("#")]
            is_new = False
            continue
        is_new = True
        if line.partition(":")[0] in names:
            found[line.partition(":")[0]] = " ".join(" ".join(said).split())
    return found
