"""Titles, file names and categories are texts, wherever they are shown: none becomes markup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rest_framework
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client
from django.urls import include, path
from django.utils import timezone
from playwright.sync_api import Page, Route, sync_playwright
from pytest_django import Settings

from demo_shop.catalogue.models import Category, Product
from demo_shop.urls import urlpatterns as shop_urls
from imgrec import neighbours, paused
from imgrec.fragments import Fragment
from imgrec.models import DuplicatePair, EmbeddingJob, Placeholder
from imgrec.served import served_space
from tests.browser.conftest import CHROMIUM
from tests.faults.payloads import PAYLOADS
from tests.faults.skeleton import Skeleton

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [*shop_urls, path("api/", include("imgrec.rest_framework.urls"))]
HARMLESS = [f"Chair {n}" for n in range(len(PAYLOADS))]
TAG = Template(
    "<!doctype html><title>A page</title>{% load imgrec %}{% for each in titles %}"
    "{% similar_products product limit=30 title=each show_similarity=True %}{% endfor %}"
    "{% similar_products product limit=30 title=titles.0 lazy=True %}"
)
Pages = dict[str, str]


@pytest.fixture
def shop(db: None) -> list[Product]:
    """A product and thirty like it, each with a category of its own."""
    space = served_space(Product)
    with paused():
        shelves = [Category.objects.create(name=f"c{n}", slug=f"c{n}") for n in range(31)]
        made = [
            Product.objects.create(
                title="Seed", sku=f"{n}", category=shelf, price=1, stock=5, photo=f"products/{n}"
            )
            for n, shelf in enumerate(shelves)
        ]
    for place, product in enumerate(made):
        vector = np.zeros(space.embedder.dimensions)
        vector[:2] = np.cos(place / 31), np.sin(place / 31)
        space.embedding_model.objects.create(
            owner=product,
            vector=vector.tolist(),
            source_name=product.photo.name,
            sha256="0" * 64,
            version=space.embedder.version,
            job_id=0,
            embedded_at=timezone.now(),
        )
    neighbours.rebuild(space)
    failed = {"space": space.label, "state": "failed", "reason": "damaged"}
    EmbeddingJob.objects.bulk_create(
        EmbeddingJob(object_pk=str(each.pk), **failed) for each in made[1:]
    )
    Placeholder.objects.bulk_create(
        Placeholder(space=space.label, sha256=f"{n:064}", items=30) for n in range(30)
    )
    keys = sorted(str(each.pk) for each in made[1:])
    pairs = [(keys[0], key) for key in keys[1:15]] + [(keys[15], key) for key in keys[16:]]
    DuplicatePair.objects.bulk_create(
        DuplicatePair(
            space=space.label,
            first=first,
            second=second,
            similarity=0.9,
            decision="" if first == keys[0] else "merge",
        )
        for first, second in pairs
    )
    return made


def name_everything(products: list[Product], texts: list[str]) -> None:
    """Give titles, files, categories, jobs and placeholders these names, past all cleaning."""
    for product, text in zip(products[1:], texts, strict=True):
        name = f"products/{text}"[:255]
        Product.objects.filter(pk=product.pk).update(title=text, photo=name)
        Category.objects.filter(pk=product.category_id).update(name=text[:100])
        jobs = EmbeddingJob.objects.filter(object_pk=str(product.pk))
        jobs.update(source_name=name, message=text)
    for row, text in zip(Placeholder.objects.order_by("sha256"), texts, strict=True):
        Placeholder.objects.filter(pk=row.pk).update(source_name=text)


@pytest.fixture
def pages(shop: list[Product], settings: Settings) -> Callable[[list[str]], Pages]:
    """A function that names everything after texts and returns all pages that show them."""
    settings.TEMPLATES = [_with_browsable_api()]
    client = Client()
    client.force_login(User.objects.create_superuser("merchant"))

    def read(texts: list[str]) -> Pages:
        name_everything(shop, texts)
        context = {"product": shop[0], "titles": texts}
        found = {"tag": TAG.render(Context(context))}
        for name, address in _addresses(shop, texts).items():
            response = client.get(address, headers={"Accept": "text/html"})
            assert response.status_code == 200, (name, response.status_code)
            assert response["Content-Type"].startswith("text/html"), name
            found[name] = response.text
        return found

    return read


def _with_browsable_api() -> dict[str, Any]:
    engine: dict[str, Any] = django_settings.TEMPLATES[0]
    libraries = {"rest_framework": "rest_framework.templatetags.rest_framework"}
    folder = Path(rest_framework.__file__).parent / "templates"
    return {**engine, "DIRS": [folder], "OPTIONS": {**engine["OPTIONS"], "libraries": libraries}}


def _addresses(shop: list[Product], texts: list[str]) -> Pages:
    seed, admin, ours = shop[0], "/admin/shop/product/", "/admin/imgrec/"
    found = {
        "product": seed.get_absolute_url(),
        "product, later": f"{seed.get_absolute_url()}?similar=later",
        "api": f"/api/shop/product/{seed.pk}/similar/?limit=30",
        "admin list": admin,
        "admin change": f"{admin}{seed.pk}/change/",
        "admin delete": f"{admin}{shop[1].pk}/delete/",
        "admin failed": f"{admin}imgrec/failed/",
        "admin progress": f"{admin}imgrec/progress/",
        "admin reindex": f"{admin}imgrec/reindex/",
        "admin steps": f"{admin}imgrec/steps/{seed.pk}/",
        "admin why": f"{admin}imgrec/why/?product={seed.pk}&other={shop[1].pk}",
        "admin part": f"{admin}imgrec/part/?product={shop[1].pk}",
        "admin jobs": f"{ours}embeddingjob/",
        "admin job": f"{ours}embeddingjob/{EmbeddingJob.objects.earliest('id').pk}/change/",
        "admin overview": f"{admin}imgrec/overview/",
        "admin duplicates": f"{ours}duplicatepair/",
        "admin decided": f"{ours}duplicatepair/?show=decided",
        "admin placeholders": f"{ours}placeholder/",
        "admin spaces": f"{ours}space/",
    }
    for n, text in enumerate(texts):
        asked = Fragment.of(seed, {"limit": 30}, title=text, show_similarity=True)
        found[f"fragment {n}"] = f"/imgrec/similar/{asked.token}/"
        found[f"page of the list {n}"] = f"/imgrec/similar/{asked.token}/page/"
    return found


def test_pages_are_made_of_the_same_parts_whatever_things_are_called(
    pages: Callable[[list[str]], Pages],
) -> None:
    harmless, hostile = pages(HARMLESS), pages(PAYLOADS)
    assert len(PAYLOADS) == 30
    for name, html in hostile.items():
        assert "hacked=1" in html or name in WITHOUT_NAMES, f"{name} shows none of them"
        mine, usual = Skeleton(html), Skeleton(harmless[name])
        assert mine.parts == usual.parts, name
        assert mine.dangerous_links == [], name
        assert not [each for each in mine.scripts if "hacked" in each], name


WITHOUT_NAMES = {
    "product, later",
    "admin overview",
    "admin jobs",
    "admin progress",
    "admin reindex",
    "admin spaces",
    "admin why",  # these photos are no files, so that there is nothing to explain
}


def test_the_api_speaks_json_that_is_no_page(shop: list[Product]) -> None:
    name_everything(shop, PAYLOADS)
    response = Client().get(f"/api/shop/product/{shop[0].pk}/similar/?limit=30")
    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert [each["title"] for each in response.json()["results"]] == PAYLOADS
    assert not any(each["image"].startswith("javascript") for each in response.json()["results"])


@pytest.fixture
def chromium(
    pages: Callable[[list[str]], Pages], browser_path: str
) -> Iterator[tuple[Page, Pages]]:
    """A browser, and the pages it is to open, read before: Django and Playwright share a thread."""
    hostile = pages(PAYLOADS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=CHROMIUM)
        yield browser.new_page(), hostile
        browser.close()


@pytest.mark.browser
def test_no_script_runs_in_a_browser(chromium: tuple[Page, Pages]) -> None:
    page, pages = chromium
    asked = {f"http://shop.test/{n}": html for n, html in enumerate(pages.values())}
    page.on("dialog", lambda dialog: dialog.dismiss())

    def answer(route: Route) -> None:
        html = asked.get(route.request.url)
        if html is None:
            route.fulfill(status=404, body="")
        else:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")

    page.route("**/*", answer)
    for name, address in zip(pages, asked, strict=True):
        page.goto(address)
        page.evaluate(TOUCH, ["mouseover", "focus", "toggle", "error", "load"])
        assert page.evaluate("window.hacked") is None, name
    page.set_content(PAYLOADS[0])
    page.goto(f"data:text/html,{PAYLOADS[0]}")
    assert page.evaluate("window.hacked") == 1, "such a script would be noticed"


TOUCH = """kinds => kinds.forEach(kind => document.querySelectorAll('*').forEach(
    each => each.tagName === 'LINK' || each.dispatchEvent(new Event(kind))))"""
