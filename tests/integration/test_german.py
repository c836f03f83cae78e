"""A German shop: its admin, its pages and its API say nothing of ours in English."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.template import Context, Template
from django.test import Client
from django.urls import include, path
from pytest_django import Settings

from imgrec import indexing
from imgrec.models import EmbeddingJob, Placeholder
from tests.catalogues import GERMAN, catalogue
from tests.integration.admin_pages import (
    PRODUCT,
    client_of,
    make_failed,
    make_products,
    page,
    text_of,
)
from tests.pictures import upload
from tests.testapp.models import Product, TwoSpaces
from tests.urls import handler404 as handler404
from tests.urls import urlpatterns as shop

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [*shop, path("api/", include("imgrec.rest_framework.urls"))]
JOBS, PLACEHOLDERS, SPACES = (
    f"/admin/imgrec/{name}/" for name in ("embeddingjob", "placeholder", "space")
)


@pytest.fixture
def merchant(settings: Settings) -> Client:
    settings.LANGUAGE_CODE = "de"
    models = ("product", "twospaces", "embeddingjob", "placeholder", "space")
    return client_of(*(f"{right}_{model}" for right in ("view", "change") for model in models))


def english_in(body: str) -> list[str]:
    """Return our English texts of several words that a page shows."""
    words = re.sub(r"<[^>]*>", "\n", body)
    texts = [text for _context, text in catalogue(GERMAN) if isinstance(text, str)]
    long = [text for text in texts if " " in text and "%(" not in text]
    return [text for text in long if text.lower() in words.lower()]


def german(client: Client, address: str, *said: str, **query: Any) -> None:
    """Look at a page: it says that, and nothing of ours in English."""
    body = text_of(client.get(address, query))
    for words in said:
        assert words in body, words
    assert english_in(body) == []


def test_english_would_be_seen() -> None:
    assert english_in("<p>No failed photo was selected.</p>") == ["No failed photo was selected."]


def test_the_shops_own_pages(merchant: Client) -> None:
    first, *_others = make_products(3)
    make_failed()
    german(
        merchant,
        "/admin/testapp/product/",
        "Fotozustand",
        "Fehlerursache",
        "Ausgewählte products neu indizieren",
        "Alle neu indizieren",
        "bereit",
        "Kein Bild",
    )
    german(merchant, f"/admin/testapp/product/{first.pk}/change/", "Ähnliche Produkte", "Liste vom")


def test_reindexing(merchant: Client) -> None:
    make_products(3)
    german(merchant, page("reindex"), "3 Fotos von <b>", "werden neu eingelesen", "Abbrechen")
    body = text_of(merchant.post(page("reindex"), follow=True))
    assert "3 Fotos eingereiht." in body
    assert "0 von 3 Fotos" in body
    german(merchant, page("reindex"), "Eine Neuindizierung dieses Merkmalsraums läuft bereits.")
    indexing.work()
    german(merchant, page("progress"), "Die letzte Neuindizierung ist abgeschlossen: 3 Fotos.")
    said = merchant.get(page("progress_data")).json()["said"]
    assert said["summary"] == "Die letzte Neuindizierung ist abgeschlossen: 3 Fotos."


def test_failures(merchant: Client) -> None:
    german(merchant, page("failed"), "Kein Foto ist fehlgeschlagen.")
    make_failed("Tasse")
    advice = "Die Datei ist kein Bild: Laden Sie ein JPEG, PNG, WebP, GIF oder AVIF hoch."
    german(merchant, page("failed"), advice, "Tasse auswählen", "1 Foto erneut versuchen")
    body = text_of(merchant.post(page("retry"), {"retry": "selected"}, follow=True))
    assert "Es wurde kein fehlgeschlagenes Foto ausgewählt." in body


def test_spaces(merchant: Client) -> None:
    make_products(2)
    TwoSpaces.objects.create(photo=upload(0.2))
    german(merchant, SPACES, "Merkmalsräume", "Wird gezeigt", "<b>2</b> bereit", "Fortschritt")
    coarse = f"{SPACES}testapp.twospaces.coarse/"
    german(merchant, f"{coarse}change/", "Letzte Neuindizierung gestartet am", "Aktiv")
    german(merchant, f"{coarse}serve/", "Nur 0 von 1 Fotos sind bereit", "Zurzeit erscheinen")
    body = text_of(merchant.post(f"{coarse}serve/", follow=True))
    assert "Im Shop erscheinen jetzt die ähnlichen Produkte von testapp.twospaces.coarse." in body
    history = text_of(merchant.get(f"{coarse}history/"))
    assert "Wird ab jetzt im Shop gezeigt." in history


def test_jobs_and_placeholders(merchant: Client) -> None:
    make_failed()
    job = EmbeddingJob.objects.get()
    german(merchant, JOBS, "Einbettungsjobs", "Versuche", "Fällig am", "Fehlgeschlagen")
    german(merchant, f"{JOBS}{job.pk}/change/", "Schlüssel des Fotos", "SHA-256 des Bildes")
    made = Placeholder.objects.create(space=PRODUCT, sha256="a" * 64, source_name="x", items=30)
    german(merchant, PLACEHOLDERS, "Platzhalterbilder", "Ausgeschlossene Fotos", "Wie jedes andere")
    german(merchant, f"{PLACEHOLDERS}{made.pk}/change/", "Produkte bei der Entdeckung")


def test_the_tag(settings: Settings) -> None:
    settings.LANGUAGE_CODE = "de"
    product = make_products(3)[0]
    later = "{% similar_products product lazy=True show_similarity=True %}"
    for tag, words in [(later.replace("lazy=True ", ""), "Ähnlichkeit"), (later, "anzeigen</a>")]:
        html = Template("{% load imgrec %}" + tag).render(Context({"product": product}))
        assert "Ähnliche Produkte</h2>" in html
        assert words in html
        assert english_in(html) == []


def test_a_shoppers_own_language(settings: Settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    missing = "/api/testapp/product/0/similar/"
    Product.objects.create(title="Tasse")
    said = {
        language: Client().get(missing, headers={"accept-language": language}).json()
        for language in ("de-AT,de;q=0.9", "en", "tlh")
    }
    assert [each["detail"] for each in said.values()] == ["Nicht gefunden.", *["Not found."] * 2]
    assert {each["code"] for each in said.values()} == {"not_found"}
