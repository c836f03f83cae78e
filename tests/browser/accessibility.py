"""axe-core over a page, and the pages of a site by following its links."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# What Django's own admin writes, on every page of its kind in any project.
_DJANGOS = (
    r"link-in-text-block \(serious\): \.breadcrumbs > a",  # not underlined
    r"label \(critical\): #id_form-\d+-",  # of list_editable
    r"label-title-only \(serious\): #searchbar",
)
_DJANGOS_OWN = re.compile("|".join(_DJANGOS))
OF_COLOURS = ("color-contrast", "link-in-text-block")
_LINKS = "() => [...document.querySelectorAll('a[href]')].map(link => link.href)"
# What is half faded in has half its contrast.
_BE_STILL = "() => document.getAnimations().forEach(each => each.finish())"


def violations(page: Page, rules: Sequence[str] | None = None) -> list[str]:
    """Return what axe finds on the present page, by some rules or all, with the elements."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    page.evaluate(_BE_STILL)
    found = Axe().run(page, options=options).response["violations"]
    where = urlsplit(page.url).path
    return [
        f"{where}: {each['id']} ({each['impact']}): {node['target'][0]}: {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


def violations_of_ours(page: Page, rules: Sequence[str] | None = None) -> list[str]:
    """Return those on a page of the admin, but for what Django's own templates do."""
    return [each for each in violations(page, rules) if not _DJANGOS_OWN.search(each)]


def kind_of(address: str) -> str:
    """Return an address without what only says of which product it tells."""
    return re.sub(r"\d+", "N", urlsplit(address).path)


def walk(page: Page, start: str, is_ours: Callable[[str], bool]) -> Iterator[str]:
    """Open each kind of page that links lead to once; give its kind while it is open."""
    waiting, seen = [start], {kind_of(start)}
    while waiting:
        page.goto(waiting.pop(0))
        links = page.evaluate(_LINKS)
        yield kind_of(page.url)
        for link in links:
            kind = kind_of(link)
            if kind not in seen and is_ours(kind):
                seen.add(kind)
                waiting.append(link)
