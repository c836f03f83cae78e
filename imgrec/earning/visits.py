"""Whose visits are not counted: programs, pages nobody looks at yet, and who asked not to be."""

from __future__ import annotations

import re
from collections.abc import Mapping

# By the names programs give themselves. Those that run no scripts send nothing in any case.
_PROGRAMS = re.compile(
    r"bot|crawl|spider|slurp|scrap|fetch|preview|monitor|lighthouse|pagespeed|headless|phantom"
    r"|selenium|facebookexternalhit|mediapartners|archiver|curl|wget|python|java/|okhttp|go-http",
    re.IGNORECASE,
)


def is_left_out(headers: Mapping[str, str]) -> bool:
    """Return whether a visit is not to be counted, by the headers it came with."""
    return asked_not_to_be(headers) or is_a_program(headers) or is_ahead_of_time(headers)


def asked_not_to_be(headers: Mapping[str, str]) -> bool:
    """Return whether the browser says Do Not Track or Global Privacy Control."""
    return "1" in (headers.get("DNT"), headers.get("Sec-GPC"))


def is_a_program(headers: Mapping[str, str]) -> bool:
    """Return whether it names itself as one, or nothing at all."""
    name = headers.get("User-Agent", "")
    return not name or bool(_PROGRAMS.search(name))


def is_ahead_of_time(headers: Mapping[str, str]) -> bool:
    """Return whether a browser only loads the page in case somebody wants it."""
    purpose = headers.get("Sec-Purpose") or headers.get("Purpose") or ""
    return "prefetch" in purpose or "prerender" in purpose
