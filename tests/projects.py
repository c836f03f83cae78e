"""A shop of one model in a folder and a database of its own, run by any interpreter."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from demo_shop.environment import database
from tests import bare

FILES = {
    "shop/__init__.py": """
from celery import Celery

celery_app = Celery("shop")
celery_app.config_from_object("django.conf:settings", namespace="CELERY")
""",
    "shop/settings.py": """
import json
import os

SECRET_KEY = "only-for-tests"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "imgrec",
    "catalogue",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "shop.urls"
DATABASES = {"default": json.loads(os.environ["SHOP_DATABASE"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT = "media"
STATIC_URL = "/static/"
USE_TZ = True
IMGREC = {"broker_timeout_seconds": 0.1}
""",
    "shop/urls.py": """
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("imgrec/", include("imgrec.urls")),
    path("imgrec/", include("imgrec.monitoring.urls")),
]
""",
    "shop/testing.py": """
from imgrec.testing import ColourGrid

colours = ColourGrid(dimensions=512)
""",
    "catalogue/__init__.py": "",
    "catalogue/migrations/__init__.py": "",
    "catalogue/admin.py": """
from django.contrib import admin
from imgrec.admin import ImgrecAdminMixin

from catalogue.models import Product


@admin.register(Product)
class ProductAdmin(ImgrecAdminMixin, admin.ModelAdmin):
    list_display = ["title", "imgrec_state"]
""",
    "catalogue/models.py": """
from django.db import models
from imgrec import ImageEmbeddingField, SimilarityQuerySet


class Product(models.Model):
    title = models.CharField(max_length=200)
    photo = models.ImageField(upload_to="products", blank=True)
    embedding = ImageEmbeddingField(source="photo")

    objects = SimilarityQuerySet.as_manager()
""",
}


@dataclass(frozen=True)
class Project:
    """The shop's files, and who runs them."""

    folder: Path
    url: str
    python: Path

    def manage(self, *arguments: str) -> str:
        """Run a command of Django's, where warnings are errors; return what it said."""
        done = subprocess.run(
            [self.python, "-W", "error", "-m", "django", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the shop's processes."""
        return {
            **bare.environment(),
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "PYTHONPATH": str(self.folder),
            "SHOP_DATABASE": json.dumps({**database(self.url), "CONN_MAX_AGE": 0}),
        }

    def write(self, name: str, text: str) -> None:
        """Write a file of the shop's."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def without(self, name: str, *words: str) -> None:
        """Take the lines with any of these words out of a file."""
        lines = (self.folder / name).read_text(encoding="utf-8").splitlines(keepends=True)
        self.write(name, "".join(each for each in lines if not any(w in each for w in words)))


def make(folder: Path, *, url: str, python: Path) -> Project:
    """Write the shop's files."""
    project = Project(folder, url, python)
    for name, text in FILES.items():
        project.write(name, text)
    return project


def tables(url: str) -> set[str]:
    """Return the tables of a database."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name for (name,) in rows}


@contextmanager
def new_database(server: str, name: str) -> Iterator[str]:
    """Make an empty database beside that of the address; return its own address."""
    called = sql.Identifier(name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(called))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(called))
        yield server.rpartition("/")[0] + f"/{name}"
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(called))
