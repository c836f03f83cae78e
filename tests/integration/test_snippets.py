"""Every block of Python and of templates in the documentation runs, against the tests' shop.

What belongs into a file of a project (``# shop/urls.py``) runs in one: see ``test_tutorials``.
"""

from __future__ import annotations

import builtins
import dis
import logging
import sys
from collections.abc import Callable, Iterator
from types import CodeType, ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.core.checks import CheckMessage
from django.db import models
from django.db.models import Q
from django.template import RequestContext, engines
from django.test import RequestFactory
from django.test.utils import isolate_apps
from django.urls.resolvers import RegexPattern, URLResolver, get_resolver
from pytest_django import Settings
from rest_framework import serializers

import imgrec
from imgrec import indexing, photo_queries, setting_checks, signals
from imgrec.conf import Settings as Ours
from tests.celery import app
from tests.pictures import upload
from tests.readme import DOCS, README, Snippet, snippets
from tests.testapp.models import Item, ItemPhoto, Product

pytestmark = pytest.mark.django_db

SEVERAL = DOCS / "tutorials" / "several-photos.md"
PROJECTS = {README, *(DOCS / "tutorials").glob("*.md")}
PYTHON = [each for each in snippets("python") if not (each.page in PROJECTS and each.file)]
HERE = [each for each in PYTHON if not each.reason]
MOST_NOT_RUN = 3


class ProductSerializer(serializers.ModelSerializer[Product]):
    """The shop's own."""

    class Meta:
        model = Product
        fields = ["id", "title"]


@pytest.fixture
def a_worker(monkeypatch: pytest.MonkeyPatch, redis_server: object) -> None:
    """A worker that answers at once, in this process."""
    photo_queries._redis(5).flushdb()
    monkeypatch.setattr(photo_queries, "_away_until", 0.0)
    monkeypatch.setattr(photo_queries, "poke", lambda name: photo_queries.answer_waiting())


@pytest.fixture
def shop(settings: Settings, a_worker: None, fresh_index: None) -> dict[str, Any]:
    """The names that snippets take for granted: the shop's, and those imported further up."""
    settings.IMGREC = {
        **settings.IMGREC,
        "price": {"testapp.Product": "price"},
        "category": {"testapp.Product": "parent"},
    }
    hues = {"red_mug": 0.0, "crimson_mug": 0.03, "blue_mug": 0.6, "green_mug": 0.3}
    mugs = {
        name: Product.objects.create(title=name, photo=upload(hue), price=10)
        for name, hue in hues.items()
    }
    indexing.work()
    red, crimson, blue = (mugs[f"{name}_mug"] for name in ("red", "crimson", "blue"))
    request = RequestFactory().post("/", {"photo": upload(0.1)}, query_params=BOX)
    return {
        **{name: getattr(imgrec, name) for name in imgrec.__all__},
        **mugs,
        "product": red,
        "viewed": red,
        "bought": crimson,
        "other": crimson,
        "returned": blue,
        "Product": Product,
        "ProductSerializer": ProductSerializer,
        "models": models,
        "Q": Q,
        "in_season": Product.objects.filter(stock__gt=0),
        "request": request,
        "uploaded_file": upload(0.3),
        "import_catalogue": lambda: Product.objects.create(title="new", photo=upload(0.9)),
        "db": None,
    }


BOX = {"x": "25", "y": "25", "w": "50", "h": "50"}


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget what a snippet registers, and have its project's settings."""
    get_resolver().url_patterns  # noqa: B018 - the admin's, which others need, are made once
    registry: dict[Any, Any] = admin.site._registry
    registered = registry.pop(Product)
    for name in ("searched", "left_out", "duplicates_decided"):
        signal = getattr(signals, name)
        monkeypatch.setattr(signal, "receivers", list(signal.receivers))
    monkeypatch.setitem(sys.modules, "shop", ModuleType("shop"))
    monkeypatch.setitem(sys.modules, "shop.settings", ModuleType("shop.settings"))
    with isolate_apps("tests.testapp"):
        yield
    registry[Product] = registered


@pytest.mark.parametrize("snippet", HERE, ids=str)
def test_python_runs(snippet: Snippet, shop: dict[str, Any], settings: Settings) -> None:
    code = compile(snippet.code, str(snippet), "exec")
    found = {**shop, **_of_page(snippet), "__name__": "tests.testapp.models"}
    exec(code, found)  # noqa: S102 - our own pages
    assert globals_of(code) - found.keys() - vars(builtins).keys() == set()
    for name in found.keys() - shop.keys():
        if name.startswith("test_"):
            _called(found[name], shop)
        elif name in CHECKS:
            assert CHECKS[name](found[name], settings) == []


def _of_page(snippet: Snippet) -> dict[str, Any]:
    """Return the product of a page that is about products with several photos."""
    if snippet.page != SEVERAL:
        return {}
    items = [Item.objects.create(title=title) for title in ("coat", "hat")]
    for item in items:
        ItemPhoto.objects.create(item=item, image=upload(0.2))
    indexing.work()
    return {"product": items[0]}


def globals_of(code: CodeType) -> set[str]:
    """Return the names that a block, and every function in it, takes from outside."""
    names = {each.argval for each in dis.get_instructions(code) if each.opname == "LOAD_GLOBAL"}
    inside = [each for each in code.co_consts if isinstance(each, CodeType)]
    return names.union(*map(globals_of, inside))


def _called(test: Callable[..., None], shop: dict[str, Any]) -> None:
    names = test.__code__.co_varnames[: test.__code__.co_argcount]
    test(*(shop[name] for name in names))


def _settings(value: Any, settings: Settings) -> list[CheckMessage]:
    settings.IMGREC = value
    return setting_checks.check_settings()


def _schedule(value: Any, settings: Settings) -> list[Any]:
    app.loader.import_default_modules()
    return [
        each
        for each in value.values()
        if each["task"] not in app.tasks or each["options"]["queue"] != Ours.queue
    ]


def _addresses(value: Any, settings: Settings) -> list[CheckMessage]:
    return list(URLResolver(RegexPattern(r"^/"), value).check())


CHECKS: dict[str, Callable[[Any, Settings], list[Any]]] = {
    "IMGREC": _settings,
    "CELERY_BEAT_SCHEDULE": _schedule,
    "urlpatterns": _addresses,
}


@pytest.mark.parametrize("snippet", [e for e in snippets("django") if not e.reason], ids=str)
def test_templates_run(
    snippet: Snippet, shop: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    template = engines["django"].from_string(snippet.code)
    names = {name: shop[name] for name in ("product", "in_season")} | _of_page(snippet)
    names["page"] = SimpleNamespace(image=names["product"])  # a page that shows a photo
    html = template.template.render(RequestContext(RequestFactory().get("/"), names))
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []
    assert html.strip() or "similar_products" not in snippet.code


def test_few_snippets_are_not_run() -> None:
    told = [each for each in [*PYTHON, *snippets("django")] if each.reason]
    assert len(told) <= MOST_NOT_RUN
    assert all(len(each.reason.split()) > 3 for each in told)


def test_a_wrong_setting_would_be_found(settings: Settings) -> None:
    assert [each.id for each in _settings({"min_similarty": 0.4}, settings)] == ["imgrec.E002"]


def test_a_wrong_name_would_be_found() -> None:
    code = compile("def view():\n    return similar_prodcuts()", "page", "exec")
    assert globals_of(code) == {"similar_prodcuts"}
