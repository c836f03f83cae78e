"""The tutorials, each in a brand-new project: several photos, an object storage, an API alone."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
from PIL import Image

from demo_shop.services import Postgres
from tests.bucket import bucket
from tests.new_project import Project, start
from tests.projects import new_database
from tests.readme import DOCS, QUICKSTART, commands, snippets

pytestmark = pytest.mark.slow

Started = Callable[[str], Project]
COLOURS = {"crimson": (220, 20, 60), "red": (255, 0, 0), "blue": (0, 0, 255), "navy": (0, 0, 128)}
FILE = """
from django.core.files import File
from catalogue.models import *
def photo(name):
    return File(open(f"{name}.png", "rb"), name=f"{name}.png")
"""
PRODUCTS = f"""{FILE}
for name in {["red", "crimson", "blue"]}:
    Product.objects.create(title=name, stock=1, photo=photo(name))
"""
SEVERAL = f"""{FILE}
for title, names in {{"coat": ["red", "blue"], "scarf": ["navy"], "hat": ["crimson"]}}.items():
    product = Product.objects.create(title=title, stock=1)
    for name in names:
        ProductPhoto.objects.create(product=product, image=photo(name))
"""
PREPARE = """
from django.core.management import call_command
call_command("makemigrations")
call_command("migrate", verbosity=0)
call_command("check", databases=["default"])
"""
EMBED = """
call_command("imgrec_index", inline=True)
"""
SHOW = """
from django.template import engines
from catalogue.models import Product
product = Product.objects.get(title="coat")
print(engines["django"].from_string(open("product.html").read()).render({"product": product}))
"""
ASK = """
import json
from django.test import Client
client = Client(HTTP_HOST="localhost:8000")
answers = [client.get(address) for address in ADDRESSES]
posted = client.post(PHOTO, {"photo": open("red.png", "rb")})
print(json.dumps([[each.status_code, each.json()] for each in [*answers, posted]]))
"""


@pytest.fixture
def database_url(postgres: Postgres | None) -> Iterator[str]:
    """An empty database, without the extension."""
    server = postgres.url if postgres else os.environ["IMGREC_TEST_DATABASE_URL"]
    with new_database(server, "imgrec_tutorial") as url:
        yield url


@pytest.fixture
def started(database_url: str, tmp_path: Path) -> Started:
    """A function that makes the project of a tutorial: the quickstart's, with what it changes."""
    for name, colour in COLOURS.items():
        Image.new("RGB", (40, 40), colour).save(tmp_path / f"{name}.png")
    return lambda page: start(tmp_path, database_url, QUICKSTART, DOCS / "tutorials" / page)


def filled(project: Project, fill: str, **environment: str) -> str:
    """Migrate, make the products, embed, in one process: each takes its time to start."""
    done = project.manage("shell", "--command", PREPARE + fill + EMBED, **environment)
    assert "no issues" in done
    return done


def test_several_photos(started: Started) -> None:
    project = started("several-photos.md")
    assert "catalogue.productphoto.embedding: 4 done, 0 failed" in filled(project, SEVERAL)
    assert project.count("catalogue_productphotoembeddinglist") == 3
    page = project.manage("shell", "--command", SHOW)
    assert page.index("hat") < page.index("scarf")
    assert "coat</" not in page
    assert re.findall(r'src="/media/products/(\w+)\.png" alt="\w+"></a>', page) == [
        "crimson",
        "navy",
    ]
    python = [each.code for each in snippets("python", page=DOCS / "tutorials/several-photos.md")]
    product = "from catalogue.models import Product\nproduct = Product.objects.get(title='coat')\n"
    told = project.manage("shell", "--command", product + python[-1])
    assert [line.split()[0] for line in told.splitlines() if ".png" in line] == ["hat", "scarf"]


@pytest.mark.skipif(find_spec("storages") is None, reason='pip install "django-storages[s3]"')
def test_photos_in_a_bucket(started: Started) -> None:
    project = started("object-storage.md")
    with bucket() as server:
        done = filled(project, PRODUCTS, **server.environment)
        assert "catalogue.product.embedding: 3 done, 0 failed" in done
        names = {f"/shop-photos/products/{name}.png" for name in ("red", "crimson", "blue")}
        assert set(server.objects) == names
        assert sorted(server.reads) == sorted(names)
        del server.objects["/shop-photos/products/blue.png"]
        assert "0 done" in project.manage("imgrec_index", "--inline", **server.environment)
        assert "ready" in project.manage("imgrec_doctor", "--json", **server.environment)
    assert not (project.folder / "media").exists()


def test_an_api_alone(started: Started) -> None:
    project = started("api-only.md")
    filled(project, PRODUCTS)
    curls = [each.code for each in snippets("sh", page=DOCS / "tutorials/api-only.md")]
    asked = [found[1] for code in curls for found in [re.search(r'8000(/[^"]+)"', code)] if found]
    *addresses, photo = asked
    values = f"ADDRESSES = {addresses!r}\nPHOTO = {photo!r}\n"
    answers = json.loads(project.manage("shell", "--command", values + ASK).splitlines()[-1])
    told = [json.loads(each.code) for each in snippets("json", page=DOCS / "tutorials/api-only.md")]
    assert [status for status, _answer in answers] == [200, 404, 503]
    _same_names(answers[0][1], told[0])
    assert answers[1][1] == told[1]
    assert answers[2][1]["code"] == "no_answer"


def _same_names(answer: dict[str, Any], told: dict[str, Any]) -> None:
    assert answer.keys() == told.keys()
    assert answer["results"][0].keys() == told["results"][0].keys()
    first = told["results"][0]
    assert {**answer["results"][0], "similarity": 0} == {**first, "similarity": 0}
    assert answer["results"][0]["similarity"] > 0.9


def test_what_psql_is_told_runs(database_url: str) -> None:
    told = {shlex.split(each)[-1] for each in commands() if each.startswith("psql ")}
    assert [each.split()[0] for each in sorted(told, key=_order)] == ["CREATE", "ALTER", "DROP"]
    with psycopg.connect(database_url, autocommit=True) as connection:
        for statement in sorted(told, key=_order):
            connection.execute(statement)


def _order(statement: str) -> int:
    return ["CREATE", "ALTER", "DROP"].index(statement.split()[0])
