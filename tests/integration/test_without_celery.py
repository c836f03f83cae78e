"""A shop that has no Celery at all, with a queue in its database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

from demo_shop.services import Postgres
from tests import bare, projects
from tests.integration.test_package import COLOURS, DRIVER, FILL, SHOW
from tests.projects import Project, new_database

pytest.importorskip("django_tasks_db", reason="the extra test has django-tasks-db")
pytestmark = pytest.mark.slow

CELERYS = ("celery", "kombu")
SETTINGS = f"""
INSTALLED_APPS += {[each for each in settings.INSTALLED_APPS if each.startswith("django_tasks")]}
TASKS = {settings.TASKS}
IMGREC = {{"tasks": "django"}}
"""


@pytest.fixture
def project(postgres: Postgres | None, tmp_path: Path) -> Iterator[Project]:
    """The shop of ``tests.projects``, with Django's tasks, where no Celery is installed."""
    needed = [each for each in bare.base() if not each.startswith(CELERYS)]
    needed += [DRIVER, "django-tasks", "django-tasks-db"]
    python = bare.make(tmp_path / "environment", needed)
    bare.pip(python, "install", "--no-deps", bare.wheel(tmp_path))
    server = postgres.url if postgres else os.environ["IMGREC_TEST_DATABASE_URL"]
    with new_database(server, "imgrec_without_celery") as url:
        made = projects.make(tmp_path / "shop", url=url, python=python)
        made.write("shop/__init__.py", "")
        made.write("shop/settings.py", projects.FILES["shop/settings.py"] + SETTINGS + COLOURS)
        yield made


def test_its_products_get_their_lists(project: Project) -> None:
    project.manage("makemigrations", "catalogue", "--verbosity", "0")
    project.manage("migrate", "--verbosity", "0")
    assert "no issues" in project.manage("check", "--database", "default")
    for name in ("crimson", "red", "blue"):
        Image.new("RGB", (40, 40), name).save(project.folder / f"{name}.png")

    project.manage("shell", "--command", FILL)
    project.manage("db_worker", "--queue-name", "imgrec", "--batch", "--no-startup-delay")

    page = project.manage("shell", "--command", SHOW)
    assert 0 < page.index("crimson") < page.index("blue")
    project.manage("imgrec_sweep")
    assert "cannot be asked" in project.manage("imgrec_doctor")
