"""How Sphinx makes the site: ``make docs``. Nothing on it comes from another server."""

from __future__ import annotations

import sys
from pathlib import Path

import django
from django.conf import settings

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# Enough of a project for the code to be imported, and to be asked for its commands.
settings.configure(
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.postgres",
        "imgrec",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "nobody"}},
    USE_TZ=True,
)
django.setup()

import imgrec  # noqa: E402 - Django comes first
from docs import generating  # noqa: E402

project = "imgrec"
version = release = imgrec.__version__
author = "imgrec contributors"
project_copyright = author
language = "en"
smartquotes = False  # quotes and dashes are often those of code

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["generating"]
suppress_warnings: list[str] = []  # a warning is an error, whatever it is about

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
templates_path: list[str] = []

html_theme = "furo"
html_title = f"imgrec {release}"
html_copy_source = False
html_show_sphinx = False


def setup(app: object) -> None:
    """Fill in what is written from the code before a page is read."""

    def fill(app: object, page: str, source: list[str]) -> None:
        source[0] = generating.filled(source[0])

    app.connect("source-read", fill)  # type: ignore[attr-defined]
