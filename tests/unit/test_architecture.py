"""Imports run one way: write, read and foundation are kept apart, and torch in its own room."""

from __future__ import annotations

import os
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

import imgrec
from tests.imports import imports, of, reached, rooms
from tests.worker import ROOT

FOUNDATION = of(
    "conf",
    "earning.tables",
    "errors",
    "reasons",
    "models",
    "desk_models",
    "map_models",
    "rules",
    "tables",
    "spaces",
    "fields",
    "signals",
)
# What turns a saved photo into a vector and a list.
WRITE = of(
    "receivers",
    "tasks",
    "chores",
    "indexing",
    "pipeline",
    "ahead",
    "batches",
    "claimed",
    "looking",
    "forward",
    "endings",
    "placeholders",
    "leases",
    "logs",
    "tallies",
    "sweep",
    "jobs",
    "claims",
    "adding",
    "runs",
    "neighbours",
    "lists",
    "tiles",
    "accelerator",
    "clusters",
    "repairing",
    "pairs",
    "ranking",
    "reading",
    "vectors",
    "first_load",
    "index_building",
    "calibrating",
    "freshness",
    "duplicates",
    "catalogue_map",
)
# What answers a page.
READ = of(
    "similar",
    "queryset",
    "live",
    "matching",
    "results",
    "served",
    "visibility",
    "cards",
    "quiet",
    "remembered",
    "choice",
    "showing",
    "fragments",
    "among",
    "answering",
    "arranging",
    "crowds",
    "pool_sql",
    "paging",
    "several",
    "wishes",
    "pool",
    "search_settings",
    "distances",
    "seeds",
    "sql",
    "uploads",
    "steered",
    "steering",
    "stored",
    "rescue",
    "tracing",
    "ways",
    "why",
    "parts",
    "seen_photos",
    "heat",
    "hints",
    "matches",
    "earning.counting",
    "earning.experiments",
    "earning.figures",
    "earning.marking",
    "earning.report",
    "earning.tokens",
    "earning.verdicts",
    "earning.visits",
)
# What a host's project meets, and no other room does.
FACES = of(
    "admin",
    "apps",
    "checks",
    "shell_checks",
    "earning.checks",
    "earning.views",
    "management",
    "monitoring",
    "rest_framework",
    "templatetags",
    "urls",
    "views",
)
NEURAL = {"torch", "torchvision", "timm", "safetensors"}


def test_the_named_rooms_exist() -> None:
    for names in (FOUNDATION, WRITE, READ, FACES):
        assert names, "nothing would be tested"
    assert {"conf", "models", "fields", "images", "indexing", "similar", "tasks"} <= rooms().keys()


def test_no_two_rooms_import_each_other() -> None:
    graph = {room: imports(room, deferred=False) & rooms().keys() for room in rooms()}
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("room", sorted(READ | of("rest_framework", "templatetags", "views")))
def test_reading_never_reaches_the_write_path(room: str) -> None:
    assert reached(room) & WRITE == set()


@pytest.mark.parametrize("room", sorted(READ | of("rest_framework", "templatetags", "views")))
def test_reading_never_embeds(room: str) -> None:
    assert imports(room) & of("embedders") == set()


@pytest.mark.parametrize("room", sorted(WRITE))
def test_writing_never_reaches_the_read_path(room: str) -> None:
    assert reached(room) & (READ | FACES) == set()


@pytest.mark.parametrize("room", sorted(FOUNDATION))
def test_the_foundation_stands_on_its_own(room: str) -> None:
    assert reached(room) <= FOUNDATION | of("embedders")


@pytest.mark.parametrize("room", sorted(of("embedders")))
def test_encoders_know_nothing_of_tables(room: str) -> None:
    assert reached(room) <= of("embedders", "conf", "errors", "reasons")


def test_pictures_know_nothing_of_tables() -> None:
    pictures = of("image_floods", "image_formats", "image_modes")
    assert reached("images") <= pictures | of("conf", "errors", "reasons")


@pytest.mark.parametrize("room", sorted(rooms().keys() - FACES))
def test_nothing_imports_the_faces(room: str) -> None:
    assert imports(room) & FACES == set()


@pytest.mark.parametrize("room", sorted(rooms()))
def test_torch_stays_in_its_room(room: str) -> None:
    at_import = {name.partition(".")[0] for name in imports(room, deferred=False)}
    ever = {name.partition(".")[0] for name in imports(room)}
    assert not {name for name in at_import if name in NEURAL or name.startswith("efficientnet")}
    if room not in of("embedders", "accelerator"):
        assert not ever & NEURAL


@pytest.mark.parametrize("room", sorted(rooms().keys() - of("rest_framework")))
def test_django_rest_framework_stays_in_its_room(room: str) -> None:
    assert not {name for name in imports(room) if name.partition(".")[0] == "rest_framework"}
    assert imports(room) & of("rest_framework") == set()


@pytest.mark.parametrize("room", sorted(rooms().keys() - of("tasks", "celery_post")))
def test_celery_is_imported_by_its_own_rooms_only(room: str) -> None:
    at_import = {name.partition(".")[0] for name in imports(room, deferred=False)}
    assert not at_import & {"billiard", "celery", "kombu"}
    assert imports(room, deferred=False) & of("tasks", "celery_post") == set()


@pytest.mark.parametrize("room", sorted(rooms()))
def test_the_package_knows_neither_demo_nor_tests(room: str) -> None:
    assert not {name.partition(".")[0] for name in imports(room)} & {"demo_shop", "tests"}


@pytest.mark.parametrize(
    "start",
    [
        "import imgrec",
        "import django; django.setup(); import imgrec.templatetags.imgrec",
        "import django; django.setup(); from imgrec import *",
        "import django; django.setup(); import tests.celery, tests.urls",
    ],
)
def test_a_web_process_loads_neither_torch_nor_rest_framework(start: str) -> None:
    heavy = {"torch", "torchvision", "timm", "rest_framework", "prometheus_client", "openTSNE"}
    ask = f"import sys; print(*sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", f"{start}\n{ask}"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_every_public_name_is_there() -> None:
    assert all(hasattr(imgrec, name) for name in imgrec.__all__)
    with pytest.raises(AttributeError, match="no attribute 'similar_prodcuts'"):
        _ = imgrec.similar_prodcuts  # type: ignore[attr-defined]
