"""The README's five steps in a brand-new project, and the way back out of docs/removing.md."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from PIL import Image
from psycopg import sql

from demo_shop.environment import database
from demo_shop.services import Postgres
from tests.readme import PAGES, snippets

pytestmark = pytest.mark.slow

NAME = "imgrec_quickstart"
COLOURS = {"crimson": (220, 20, 60), "red": (255, 0, 0), "blue": (0, 0, 255)}
FILL = """
from django.core.files import File
from catalogue.models import Product
for name in {names}:
    with open(f"{{name}}.png", "rb") as file:
        Product(title=name, stock=1).photo.save(f"{{name}}.png", File(file))
"""
SHOW = """
from django.template import engines
from catalogue.models import Product
page = engines["django"].from_string(open("product.html").read())
print(page.render({"product": Product.objects.get(title="red")}))
"""


@dataclass(frozen=True)
class Project:
    """A shop in a folder of its own, with a database of its own."""

    folder: Path
    url: str

    def manage(self, *arguments: str) -> str:
        """Run ``manage.py`` as a shop would; return what it said."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env=_plain_environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tables(self) -> set[str]:
        """Return the tables in the database."""
        with psycopg.connect(self.url) as connection:
            rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            return {name for (name,) in rows}

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        with psycopg.connect(self.url) as connection:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


def _plain_environment() -> dict[str, str]:
    ours = ("DJANGO_", "IMGREC_", "DATABASE_URL", "REDIS_URL", "DEMO_")
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)}


@pytest.fixture(scope="module")
def database_url(postgres: Postgres | None) -> Iterator[str]:
    """An empty database, without the extension."""
    server = postgres.url if postgres else os.environ["IMGREC_TEST_DATABASE_URL"]
    name = sql.Identifier(NAME)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield server.rpartition("/")[0] + f"/{NAME}"
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture(scope="module")
def project(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What ``startproject`` and ``startapp`` make, and steps 2 and 3 of the README in it."""
    folder = tmp_path_factory.mktemp("quickstart")
    made = Project(folder, database_url)
    django = [sys.executable, "-m", "django"]
    for command in (["startproject", "shop", "."], ["startapp", "catalogue"]):
        subprocess.run([*django, *command], cwd=folder, env=_plain_environment(), check=True)
    steps = {each.file: each.code for each in snippets("python", page=PAGES[0]) if each.file}
    settings = made.read("shop/settings.py") + _own_settings(database_url)
    made.write("shop/settings.py", settings + steps.pop("shop/settings.py"))
    for name, code in steps.items():
        made.write(name, code)
    step_5 = next(s for s in snippets("django", page=PAGES[0]) if "imgrec_styles" in s.code)
    made.write("product.html", step_5.code)
    return made


def _own_settings(url: str) -> str:
    """The shop's own part: where its database is; and an encoder that needs no weights."""
    lines = [
        "INSTALLED_APPS += ['catalogue']",
        f"DATABASES = {{'default': {database(url)!r}}}",
        "MEDIA_ROOT = BASE_DIR / 'media'",
        "MEDIA_URL = '/media/'",
        "IMGREC = {'embedder': 'imgrec.testing.ColourGrid', 'broker_timeout_seconds': 0.1}",
    ]
    return "\n".join(["", *lines, ""])


def test_a_shop_gets_look_alikes_and_loses_all_of_them_again(project: Project) -> None:
    _install(project)
    _show_look_alikes(project)
    _remove(project)


def _install(project: Project) -> None:
    project.manage("makemigrations")
    assert imported(project.folder / "catalogue/migrations/0001_initial.py") == {
        "django",
        "pgvector",
    }
    project.manage("migrate", "--verbosity", "0")
    made = {"catalogue_product", "catalogue_productembedding", "catalogue_productembeddinglist"}
    assert made <= project.tables()
    assert "no issues" in project.manage("check", "--database", "default")
    assert "No changes" in project.manage("makemigrations", "--check")


def _show_look_alikes(project: Project) -> None:
    for name, colour in COLOURS.items():
        Image.new("RGB", (40, 40), colour).save(project.folder / f"{name}.png")
    project.manage("shell", "--command", FILL.format(names=list(COLOURS)))
    assert project.count("imgrec_embeddingjob") == len(COLOURS)

    done = project.manage("imgrec_index", "--inline")

    assert "catalogue.product.embedding: 3 done, 0 failed" in done
    page = project.manage("shell", "--command", SHOW)
    assert page.index("crimson") < page.index("blue")
    assert 'href="/products/' in page
    assert "imgrec/similar_products.css" in page


def _remove(project: Project) -> None:
    text = project.read("catalogue/models.py")
    begin, end = text.index("    embedding ="), text.index("    objects =")
    project.write("catalogue/models.py", text[:begin] + text[end:])
    project.manage("makemigrations")
    project.manage("migrate", "--verbosity", "0")
    assert {name for name in project.tables() if name.startswith("catalogue")} == {
        "catalogue_product"
    }
    assert project.count("imgrec_space") == project.count("imgrec_embeddingjob") == 0
    assert project.count("catalogue_product") == len(COLOURS)

    project.manage("migrate", "imgrec", "zero", "--verbosity", "0")
    assert not {name for name in project.tables() if name.startswith("imgrec")}

    project.write("shop/settings.py", project.read("shop/settings.py").replace('"imgrec"', ""))
    project.write("catalogue/models.py", _without_imgrec(project.read("catalogue/models.py")))
    assert "No changes" in project.manage("makemigrations", "--check")


def _without_imgrec(text: str) -> str:
    lines = [line for line in text.splitlines() if "imgrec" not in line]
    return "\n".join(line for line in lines if "SimilarityQuerySet" not in line) + "\n"


def imported(file: Path) -> set[str]:
    """Return the packages a file imports from."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
    return found
