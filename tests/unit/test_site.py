"""The site of the documentation: made without a warning, whole, and all from one place."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.readme import DOCS
from tests.worker import ROOT

pytestmark = pytest.mark.slow

MISSING = [name for name in ("furo", "myst_parser", "sphinx") if find_spec(name) is None]
# What a browser fetches by itself.
FETCHED = {("img", "src"), ("link", "href"), ("script", "src"), ("source", "srcset")}


class Page(HTMLParser):
    """What a page of the site points to, what it has browsers fetch, and where one can point."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            elif (tag, name) in FETCHED:
                self.fetched.append(value or "")
            elif (tag, name) == ("a", "href"):
                self.links.append(value or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as ``make docs`` makes it."""
    if MISSING:
        pytest.skip(f'no {", ".join(MISSING)}: pip install "imgrec[docs]"')
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet"]
    done = subprocess.run(
        [*command, str(DOCS), str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    written = [each for each in site.rglob("*.html") if "_downloads" not in each.parts]
    return {path: Page(path) for path in written}


def test_every_page_is_on_it(site: Path, pages: dict[Path, Page]) -> None:
    written = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    assert written <= {path.relative_to(site) for path in pages}


def test_links_and_pictures_are_there(pages: dict[Path, Page]) -> None:
    broken = [
        f"{path.name}: {link}"
        for path, page in pages.items()
        for link in [*page.links, *page.fetched]
        if not _is_there(path, link, pages)
    ]
    assert broken == []


def _is_there(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    address = urlsplit(link)
    if address.scheme or address.netloc:
        return True
    target = (path.parent / unquote(address.path)).resolve() if address.path else path
    if not target.exists():
        return False
    return not address.fragment or unquote(address.fragment) in pages[target].ids


def test_nothing_comes_from_another_server(site: Path, pages: dict[Path, Page]) -> None:
    elsewhere = [each for page in pages.values() for each in page.fetched if urlsplit(each).netloc]
    assert elsewhere == []
    for style in site.rglob("*.css"):
        assert "url(http" not in style.read_text(encoding="utf-8")
        assert "@import" not in style.read_text(encoding="utf-8")


def test_the_reference_is_filled_in(site: Path) -> None:
    page = (site / "reference" / "settings.html").read_text(encoding="utf-8")
    assert "stored_neighbours" in page
    assert "generated:" not in page
    assert "similar_to_photo" in (site / "reference" / "python.html").read_text(encoding="utf-8")
