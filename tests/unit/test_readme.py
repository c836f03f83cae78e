"""What the README and the pages in docs/ say is so: tables, code, commands, links."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from importlib import import_module
from pathlib import Path
from types import CodeType

import pytest
from django.core.management import get_commands, load_command_class
from django.template import Engine

from imgrec.conf import Settings
from tests.readme import PAGES, QUICKSTART, README, Snippet, anchors, commands, links, snippets
from tests.worker import ROOT

MOST_BYTES = 400_000
PROGRAMS = ("make ", "pip ", "psql ", "celery ", "curl ", "python ")
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
    engine = Engine(libraries={**ours, **django})
    assert engine.from_string(snippet.code).nodelist


@pytest.mark.parametrize("snippet", snippets("json"), ids=str)
def test_json_is_json(snippet: Snippet) -> None:
    assert json.loads(snippet.code)


def test_every_language_is_looked_at() -> None:
    known = {"python", "django", "sh", "json", "text", "{eval-rst}"}
    for page in PAGES:
        fences = re.findall(r"^```([\w{}-]*)$", page.read_text(), re.MULTILINE)
        assert set(fences[::2]) <= known, page.name


@pytest.mark.parametrize("command", [each for each in commands() if each.startswith("make ")])
def test_make_has_the_target(command: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(rf"^{command.split()[1]}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("command", [each for each in commands() if "manage.py" in each])
def test_django_has_the_command(command: str) -> None:
    name, *arguments = command.split("manage.py ")[1].split()
    command_class = load_command_class(str(get_commands()[name]), name)
    parsed = command_class.create_parser("manage.py", name).parse_args(arguments)
    assert vars(parsed)["verbosity"] == 1


@pytest.mark.parametrize("command", [each for each in commands() if each.startswith("celery ")])
def test_the_worker_is_of_the_project_described(command: str) -> None:
    words = command.split()
    project = words[words.index("-A") + 1]
    files = {each.file for each in snippets("python", page=QUICKSTART)}
    assert {f"{project}/celery.py", f"{project}/__init__.py"} <= files
    assert words[words.index("-Q") + 1] == Settings.queue


def test_pip_has_the_extras() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = "".join(page.read_text() for page in PAGES)
    named = {
        extra for group in re.findall(r"imgrec\[([\w,]+)\]", text) for extra in group.split(",")
    }
    assert named
    assert named <= set(extras["optional-dependencies"])


def test_no_command_is_of_a_kind_nobody_checks() -> None:
    assert [each for each in commands() if not each.startswith(PROGRAMS)] == []


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
