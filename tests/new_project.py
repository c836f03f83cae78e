"""A brand-new Django project in a folder of its own, of what pages of the docs tell to write."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.core.management import call_command
from psycopg import sql

from demo_shop.environment import database
from tests.readme import snippets

SETTINGS = "shop/settings.py"


@dataclass(frozen=True)
class Project:
    """A shop in a folder of its own, with a database of its own."""

    folder: Path
    url: str

    def manage(self, *arguments: str, **environment: str) -> str:
        """Run ``manage.py`` as a shop would; return what it said."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env=_plain_environment() | environment,
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


def start(folder: Path, url: str, *pages: Path) -> Project:
    """Make a project with the files that the pages name; of one file the last page's counts.

    Settings are added to. ``product.html`` is the last page's first template with the tag.
    """
    made = Project(folder, url)
    call_command("startproject", "shop", str(folder))
    (folder / "catalogue").mkdir()
    call_command("startapp", "catalogue", str(folder / "catalogue"))
    made.write(SETTINGS, made.read(SETTINGS) + _own_settings(url))
    for page in pages:
        for each in snippets("python", page=page):
            if each.file:
                before = made.read(SETTINGS) if each.file == SETTINGS else ""
                made.write(each.file, before + each.code)
        for each in snippets("django", page=page)[:1]:
            made.write("product.html", each.code)
    return made


def _own_settings(url: str) -> str:
    """The shop's own part: where its database is; and an encoder that needs no weights."""
    lines = [
        "INSTALLED_APPS += ['catalogue']",
        f"DATABASES = {{'default': {database(url)!r}}}",
        "MEDIA_ROOT = BASE_DIR / 'media'",
        "MEDIA_URL = '/media/'",
        "IMGREC = {'embedder': 'imgrec.testing.ColourGrid', 'broker_timeout_seconds': 0.1,",
        "          'photo_wait_seconds': 0.1}",
    ]
    return "\n".join(["", *lines, ""])


def _plain_environment() -> dict[str, str]:
    ours = ("DJANGO_", "IMGREC_", "DATABASE_URL", "REDIS_URL", "DEMO_")
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)}
