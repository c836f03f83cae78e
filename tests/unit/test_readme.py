"""What the README and the pages in docs/ say is so: code, links, pictures."""

from __future__ import annotations

import ast
import json
import re
from importlib import import_module
from pathlib import Path
from types import CodeType

import pytest
from django.template import Engine

from tests.readme import PAGES, README, Snippet, anchors, links, snippets
from tests.wagtails_tags import LIBRARIES
from tests.worker import ROOT

MOST_BYTES = 400_000
MOST_LINES = 200  # of the README: what is longer belongs on a page of its own


@pytest.mark.parametrize("snippet", snippets("python"), ids=str)
def test_python_compiles(snippet: Snippet) -> None:
    assert isinstance(compile(snippet.code, str(snippet), "exec"), CodeType)


@pytest.mark.parametrize("snippet", snippets("python"), ids=str)
def test_what_python_imports_from_imgrec_is_there(snippet: Snippet) -> None:
    missing = [
        f"{node.module}.{each.name}"
        for node in ast.walk(ast.parse(snippet.code))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("imgrec")
        for each in node.names
        if not hasattr(import_module(str(node.module)), each.name)
    ]
    assert missing == []


@pytest.mark.parametrize("snippet", snippets("django"), ids=str)
def test_templates_compile(snippet: Snippet) -> None:
    ours = {"imgrec": "imgrec.templatetags.imgrec"}
    django = {name: f"django.templatetags.{name}" for name in ("cache", "i18n", "static")}
    engine = Engine(libraries={**ours, **django, **LIBRARIES})
    assert engine.from_string(snippet.code).nodelist


@pytest.mark.parametrize("snippet", snippets("json"), ids=str)
def test_json_is_json(snippet: Snippet) -> None:
    assert json.loads(snippet.code)


def test_every_language_is_looked_at() -> None:
    known = {"python", "django", "html", "sh", "json", "text", "{eval-rst}"}
    for page in PAGES:
        fences = re.findall(r"^```([\w{}-]*)$", page.read_text(), re.MULTILINE)
        assert set(fences[::2]) <= known, page.name


INTERNAL = [(page, link) for page in PAGES for link in links(page) if "://" not in link]


@pytest.mark.parametrize(("page", "link"), INTERNAL, ids=str)
def test_links_lead_somewhere(page: Path, link: str) -> None:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    assert target.exists()
    assert not anchor or anchor in anchors(target)


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "images").iterdir()), ids=str)
def test_pictures_are_small_and_shown(picture: Path) -> None:
    assert picture.stat().st_size < MOST_BYTES
    shown = {Path(target).name for page in PAGES for target in links(page)}
    assert picture.name in shown


def test_a_page_may_say_why_a_snippet_is_not_run(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- not run: it sells the shop -->\n\n```python\nsell()\n```\n\n```python\n1\n```\n"
    )
    assert [each.reason for each in snippets("python", page=page)] == ["it sells the shop", ""]


def test_the_readme_is_a_front_page() -> None:
    assert len(README.read_text().splitlines()) <= MOST_LINES


def test_six_lines_are_new() -> None:
    code = "".join(each.code for each in [*snippets("python", page=README), *_templates()])
    ours = [line for line in code.splitlines() if re.search("imgrec|Embedding|similar_", line)]
    assert len(ours) == 6


def _templates() -> list[Snippet]:
    return snippets("django", page=README)


def test_contributors_are_told_of_every_suite() -> None:
    told = (ROOT / "CONTRIBUTING.md").read_text()
    suites = {path.parent.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.py")}
    assert [suite for suite in sorted(suites) if f"(`{suite}`)" not in told] == []
