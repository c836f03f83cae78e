"""A brand-new Django project with products and a page for each: a shop before it has imgrec."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo_shop.running import ports
from demo_shop.running.child import Child
from demo_shop.seeding.drawn.catalogue import drawn_items
from demo_shop.services import free_port
from tests import bare
from tests.projects import Project

SETTINGS = "shop/settings.py"
MODELS = "catalogue/models.py"
PAGE = "catalogue/templates/catalogue/product.html"
FAMILIES = ("Mugs", "Cushions", "Sneakers")

FILES = {
    "shop/urls.py": """
from django.conf import settings
from django.conf.urls.static import static
from django.urls import path
from django.views.generic import DetailView

from catalogue.models import Product

page = DetailView.as_view(model=Product, template_name="catalogue/product.html")
photos = static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)
urlpatterns = [path("products/<int:pk>/", page), *photos]
""",
    PAGE: """<h1>{{ product }}</h1>
<img src="{{ product.photo.url }}" alt="">
""",
}
OWN_SETTINGS = """
import json
import os

INSTALLED_APPS += ["catalogue"]
DATABASES = {"default": json.loads(os.environ["SHOP_DATABASE"])}
MEDIA_ROOT = BASE_DIR / "media"
MEDIA_URL = "/media/"
"""
FILL = """
from pathlib import Path
from django.core.files import File
from catalogue.models import Product
for path in sorted(Path("drawn").iterdir()):
    with path.open("rb") as file:
        Product(title=path.stem).photo.save(path.name, File(file))
"""


def make(folder: Path, *, url: str, python: Path, models: str) -> Project:
    """Make a shop that sells drawn wares, of the models given; it knows nothing of imgrec."""
    project = Project(folder, url, python)
    django = [python, "-m", "django", "startproject", "shop", "."]
    subprocess.run(django, cwd=folder, env=bare.environment(), check=True)
    project.manage("startapp", "catalogue")
    project.write(SETTINGS, (folder / SETTINGS).read_text() + OWN_SETTINGS)
    for name, text in {**FILES, MODELS: models}.items():
        project.write(name, text)
    project.manage("makemigrations", "--verbosity", "0")
    project.manage("migrate", "--verbosity", "0")
    _draw(folder / "drawn")
    project.manage("shell", "--command", FILL)
    return project


def lines(project: Project) -> list[str]:
    """Return all lines that somebody wrote: what makemigrations writes is not counted."""
    return [
        line
        for pattern in ("*.py", "*.html")
        for path in project.folder.rglob(pattern)
        if "migrations" not in path.parts
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]


@contextmanager
def served(project: Project) -> Iterator[str]:
    """Run the project's web server; yield its address once it answers."""
    port = free_port()
    command = [str(project.python), "-m", "django", "runserver", "--noreload", str(port)]
    log = project.folder / "web.log"
    child = Child("web", command, environment=project.environment, log=log)
    child.start()
    try:
        ready = ports.wait_for(
            lambda: ports.answers(port, "/products/1/"), while_true=child.is_running
        )
        assert ready, child.last_words()
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stop()


def _draw(folder: Path) -> None:
    folder.mkdir()
    for item in drawn_items():
        if item.category in FAMILIES:
            (folder / f"{item.title}.jpg").write_bytes(item.photo())
