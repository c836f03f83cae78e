"""The wheel in an environment with nothing but what imgrec asks for, and a shop that leaves it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from PIL import Image

from demo_shop.services import Postgres
from tests import bare, projects
from tests.projects import Project, new_database, tables

pytestmark = pytest.mark.slow

# The shop's own driver: imgrec leaves it to the shop where libpq comes from.
DRIVER = "psycopg[binary]"
OURS = {"catalogue_productembedding", "catalogue_productembeddinglist"}
OF_EXTRAS = [
    "torch", "torchvision", "timm", "rest_framework", "prometheus_client", "openTSNE", "scipy",
]  # fmt: skip
TELL = f"""
import sys
from importlib.util import find_spec
print(*[name for name in {OF_EXTRAS} if find_spec(name)])
"""
COLOURS = """
IMGREC["embedder"] = "shop.testing.colours"
"""
FILL = """
from django.core.files import File
from catalogue.models import Product
for name in ("crimson", "red", "blue"):
    with open(f"{name}.png", "rb") as file:
        Product(title=name).photo.save(f"{name}.png", File(file))
"""
SHOW = """
from django.template import engines
from catalogue.models import Product
page = engines["django"].from_string("{% load imgrec %}{% similar_products product limit=2 %}")
print(page.render({"product": Product.objects.get(title="red")}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment into which pip installed the wheel."""
    folder = tmp_path_factory.mktemp("bare")
    made = bare.make(folder / "environment", [*bare.base(), DRIVER])
    bare.pip(made, "install", "--no-deps", bare.wheel(folder))
    return made


@pytest.fixture(scope="module")
def python_without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that keeps of imgrec's packages what its page says."""
    theirs = ["celery", "django", "pillow", "pgvector", DRIVER]
    return bare.make(tmp_path_factory.mktemp("without") / "environment", theirs)


@pytest.fixture(scope="module")
def server(postgres: Postgres | None) -> str:
    return postgres.url if postgres else os.environ["IMGREC_TEST_DATABASE_URL"]


@pytest.fixture
def project(server: str, python: Path, tmp_path: Path) -> Iterator[Project]:
    """A shop with its migrations made, run by that interpreter."""
    with new_database(server, "imgrec_bare") as url:
        made = projects.make(tmp_path, url=url, python=python)
        made.manage("makemigrations", "catalogue", "--verbosity", "0")
        yield made


def test_nothing_is_there_that_imgrec_does_not_ask_for(python: Path) -> None:
    assert "No broken requirements found" in bare.pip(python, "check")
    told = subprocess.run(
        [python, "-c", TELL], env=bare.environment(), capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == []


def test_django_has_nothing_to_complain_about(project: Project) -> None:
    """With the default encoder, whose torch is nowhere near."""
    project.manage("migrate", "--verbosity", "0")
    assert "no issues" in project.manage("check", "--database", "default")
    assert "No changes" in project.manage("makemigrations", "--check", "--dry-run")
    assert tables(project.url) >= OURS


def test_products_get_their_lists(project: Project) -> None:
    project.write("shop/settings.py", projects.FILES["shop/settings.py"] + COLOURS)
    project.manage("migrate", "--verbosity", "0")
    for name in ("crimson", "red", "blue"):
        Image.new("RGB", (40, 40), name).save(project.folder / f"{name}.png")
    project.manage("shell", "--command", FILL)
    assert "3 done, 0 failed" in project.manage("imgrec_index", "--inline")
    page = project.manage("shell", "--command", SHOW)
    assert 0 < page.index("crimson") < page.index("blue")


def test_migrations_of_a_shop_that_removed_imgrec_run_from_zero(
    project: Project, python_without: Path, server: str
) -> None:
    """As docs/removing.md has it, up to the last step; then somebody sets up a new machine."""
    project.manage("migrate", "--verbosity", "0")
    project.without("catalogue/models.py", "embedding =")
    project.write("catalogue/admin.py", "")
    project.manage("makemigrations", "catalogue", "--verbosity", "0")
    project.manage("migrate", "--verbosity", "0")
    project.manage("migrate", "imgrec", "zero", "--verbosity", "0")
    for name in ("shop/settings.py", "shop/urls.py", "catalogue/models.py"):
        project.without(name, "imgrec", "IMGREC", "SimilarityQuerySet")
    left = tables(project.url)
    assert not {name for name in left if name.startswith("imgrec")} | (left & OURS)

    with new_database(server, "imgrec_bare_again") as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE EXTENSION vector")
        without = replace(project, python=python_without, url=url)
        without.manage("migrate", "--verbosity", "0")
        assert tables(url) == left
        assert "No changes" in without.manage("makemigrations", "--check", "--dry-run")
