"""The quickstart in a brand-new project, long and short, and the way out of docs/removing.md."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from demo_shop.services import Postgres
from tests.new_project import Project, start
from tests.projects import new_database
from tests.readme import QUICKSTART, README

pytestmark = pytest.mark.slow

COLOURS = {"crimson": (220, 20, 60), "red": (255, 0, 0), "blue": (0, 0, 255)}
FILL = """
from django.core.files import File
from catalogue.models import Product
for name in {names}:
    with open(f"{{name}}.png", "rb") as file:
        Product(title=name, {values}).photo.save(f"{{name}}.png", File(file))
"""
SHOW = """
from django.template import engines
from catalogue.models import Product
page = engines["django"].from_string(open("product.html").read())
print(page.render({"product": Product.objects.get(title="red")}))
"""


@pytest.fixture
def database_url(postgres: Postgres | None) -> Iterator[str]:
    """An empty database, without the extension."""
    server = postgres.url if postgres else os.environ["IMGREC_TEST_DATABASE_URL"]
    with new_database(server, "imgrec_quickstart") as url:
        yield url


def test_a_shop_gets_look_alikes_and_loses_all_of_them_again(
    database_url: str, tmp_path: Path
) -> None:
    project = start(tmp_path, database_url, QUICKSTART)
    _install(project)
    _show_look_alikes(project, values="stock=1")
    _remove(project)


def test_six_lines_are_enough(database_url: str, tmp_path: Path) -> None:
    project = start(tmp_path, database_url, README)
    project.manage("makemigrations")
    project.manage("migrate", "--verbosity", "0")
    _show_look_alikes(project, values="")


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


def _show_look_alikes(project: Project, *, values: str) -> None:
    for name, colour in COLOURS.items():
        Image.new("RGB", (40, 40), colour).save(project.folder / f"{name}.png")
    project.manage("shell", "--command", FILL.format(names=list(COLOURS), values=values))
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
