"""The reference, written from the code: Markdown for each ``<!-- generated: … -->`` of a page."""

from __future__ import annotations

import re
from collections.abc import Callable

from docs.generating import checks, commands, names, reasons, rooms, settings

PARTS: dict[str, Callable[[], str]] = {
    "checks": checks.table,
    "commands": commands.sections,
    "errors": names.errors,
    "python": names.public,
    "reasons": reasons.table,
    "rooms": rooms.tables,
    "settings": settings.table,
    "tags": names.tags,
}

_PLACE = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)


def filled(page: str) -> str:
    """Return a page with its generated parts; one that nobody writes is a KeyError."""
    return _PLACE.sub(lambda place: PARTS[place[1]](), page)
