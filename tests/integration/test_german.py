"""A German shop: its admin, its pages and its API say nothing of ours in English."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.template import Context, Template
from django.test import Client
from django.urls import include, path, reverse
from django.utils.timezone import now
from pytest_django import Settings

from imgrec import indexing
from imgrec.catalogue_map import making
from imgrec.earning.tables import Experiment, ListCount
from imgrec.earning.tokens import today
from imgrec.map_models import CatalogueMap
from imgrec.models import DuplicatePair, EmbeddingJob, Placeholder
from tests.catalogues import GERMAN, catalogue
from tests.integration.admin_pages import (
    PRODUCT,
    client_of,
    make_failed,
    make_products,
    page,
    text_of,
    the_space,
)
from tests.integration.test_why import a_worker as a_worker  # a fixture
from tests.pictures import upload
from tests.steering import rule
from tests.testapp.models import Product, TwoSpaces
from tests.urls import handler404 as handler404
from tests.urls import urlpatterns as shop

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [*shop, path("api/", include("imgrec.rest_framework.urls"))]
JOBS, PLACEHOLDERS, SPACES = (
    f"/admin/imgrec/{name}/" for name in ("embeddingjob", "placeholder", "space")
)
RULES, COMPARISONS, DUPLICATES, COUNTS = (
    f"/admin/imgrec/{name}/" for name in ("rule", "experiment", "duplicatepair", "listcount")
)


@pytest.fixture
def merchant(settings: Settings) -> Client:
    settings.LANGUAGE_CODE = "de"
    models = ("product", "twospaces", "embeddingjob", "placeholder", "space")
    new = ("rule", "experiment", "duplicatepair", "listcount")
    rights = [f"{right}_{model}" for right in ("view", "change") for model in (*models, *new)]
    return client_of(*rights, "add_rule", "add_experiment")


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
    german(
        merchant,
        f"{coarse}serve/",
        "Nur 0 von 1 Fotos sind bereit",
        "coarse zeigen",
        "erscheint im Shop",
    )
    served = {"serve": "testapp.twospaces.coarse"}
    body = text_of(merchant.post(f"{coarse}serve/", served, follow=True))
    assert english_in(body) == []
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


def test_the_overview(merchant: Client) -> None:
    make_products(2)
    make_failed()
    german(merchant, page("overview"), "Abdeckung", "der Fotos sind bereit", "die Hälfte innerhalb")


@pytest.mark.usefixtures("a_worker")
def test_why_similar_and_parts(merchant: Client) -> None:
    one, other = (str(each.pk) for each in make_products(2))
    german(merchant, page("why", product=one, other=other), "Heatmap", "erscheint im Shop")
    german(merchant, page("part", product=one), "Ziehen Sie einen Rahmen", "Breite")
    wrong = page("part", product=one, x="0", y="0", w="0", h="0")
    german(merchant, wrong, "Ein Ausschnitt besteht aus vier Zahlen")


def test_steps(merchant: Client) -> None:
    first, second, third = make_products(3)
    made = rule("block", second, beside=first)
    Product.objects.filter(pk=third.pk).update(stock=0)
    steps = page_of(first)
    german(
        merchant, steps, "Zusammenfassen ab", f"Gesperrt durch Regel {made.pk}.", "Hier anheften"
    )
    german(merchant, steps, f"Warum nicht hier: {third}", "Wird nicht empfohlen:", about=third.pk)


def page_of(product: Product) -> str:
    """Return the address of a product's steps."""
    return reverse("admin:testapp_product_imgrec_steps", args=[product.pk])


def test_the_buying_list(merchant: Client) -> None:
    first, *_others = make_products(2)
    Product.objects.filter(pk=first.pk).update(stock=0)
    listed = ("1 Produkt ist ausverkauft.", "Ähnlichstes vorrätiges Produkt", "Schritt für Schritt")
    german(merchant, page("buying_list"), *listed)


def test_rules(merchant: Client) -> None:
    first, second = make_products(2)
    made = rule("pin", second, beside=first)
    german(merchant, RULES, "Steuerungsregeln", "anheften", "Aktiv", "CSV importieren")
    german(merchant, f"{RULES}{made.pk}/change/", "Neben welchem", "Wann und warum")
    german(merchant, f"{RULES}import/", "Regeln importieren", "höchstens 5000 Zeilen")
    for text, said in (
        (f"action,target_value,beside\nboost,{second.pk},all\n", "Geben Sie den Faktor an"),
        ("action\n", "Fehlende Spalten: target_value, beside."),
    ):
        body = text_of(merchant.post(f"{RULES}import/", {"file": ContentFile(text, "rules.csv")}))
        assert said in body
        assert english_in(body) == []


def test_duplicates(merchant: Client) -> None:
    first, second = (str(each.pk) for each in make_products(2))
    german(merchant, DUPLICATES, "Keine zwei Produkte zeigen nahezu dasselbe Foto.")
    values = {"space": PRODUCT, "similarity": 0.99, "bits": 1}
    pair = DuplicatePair.objects.create(first=first, second=second, **values)
    german(merchant, DUPLICATES, "Nahezu gleiche Fotos, 1", "Keine Dublette", "Ähnlichkeit 0,99")
    DuplicatePair.objects.update(decision="variant", decided_by="jemand")
    german(merchant, DUPLICATES, "Varianten eines Produkts", "Erneut fragen", show="decided")
    german(merchant, f"{DUPLICATES}{pair.pk}/change/", "Verschiedene Bits", "Entscheidung")


def test_does_it_earn(merchant: Client) -> None:
    german(merchant, COUNTS, "Lohnt es sich?", "Zurzeit wird nichts gezählt", "Noch keine.")
    german(merchant, f"{COMPARISONS}add/", "Anteil von B in Prozent", "Bei 50 steht das Ergebnis")
    spaces = {f"space_{arm}": f"testapp.twospaces.{arm}" for arm in "ab"}
    values = {"item_model": "testapp.twospaces", "expected_percent": 2, "needed": 1000, **spaces}
    made = Experiment.objects.create(name="Feiner?", **values)
    german(merchant, COMPARISONS, "A/B-Vergleiche", "Ausgewählte Vergleiche beenden")
    german(merchant, f"{COMPARISONS}{made.pk}/change/", "Nötige Einblendungen pro Testgruppe")
    day = {"day": today(), "space": PRODUCT, "shard": 0}
    ListCount.objects.create(seen=1000, clicked=20, **day)
    german(merchant, COUNTS, "Klickrate pro Tag", "2,0 %", "Für eine Aussage ist es zu früh.")


def test_a_comparison_of_rule_sets(merchant: Client) -> None:
    first, second = make_products(2)
    rule("block", second, beside=first, rule_set="mutig")
    german(merchant, f"{COMPARISONS}add/", "Regelsatz A", "nur Regeln, die immer gelten")
    of_one = {"item_model": "testapp.product", "space_a": PRODUCT, "space_b": PRODUCT}
    values = {"expected_percent": 2, "needed": 10, "rules_b": "mutig", **of_one}
    made = Experiment.objects.create(name="Mutiger?", **values)
    for arm, clicked in (("a", 100), ("b", 500)):
        day = {"day": today() - timedelta(days=2), "space": PRODUCT, "shard": 0, "arm": arm}
        ListCount.objects.create(seen=1000, shown=1000, clicked=clicked, experiment=made.pk, **day)
    german(merchant, COUNTS, "Regelsatz", "Regeln von „mutig“ immer gelten lassen")
    kept = text_of(merchant.post(f"{COMPARISONS}{made.pk}/keep/", follow=True))
    assert "1 Regel gilt nun immer." in kept


def test_the_map(merchant: Client) -> None:
    first, second = (str(each.pk) for each in make_products(2))
    german(merchant, page("map"), "Es gibt noch keine Karte", "Karte erstellen", "Färben nach")
    making.ask(the_space())
    german(merchant, page("map"), "Wartet auf einen Worker", "Anhalten")
    misfit = {"item": first, "category": "Tassen", "looks_like": "Teller", "same": 1, "of": 5}
    oddities = {
        "misfits": [misfit],
        "holes": [{"column": 0, "row": 0, "around": [first, second]}],
        "alone": [{"item": second, "similarity": 0.1}],
    }
    CatalogueMap.objects.update(finished_at=now(), category="title", oddities=oddities)
    german(merchant, page("map"), "Ausreißer", "Lücke 1", "Einzelgänger", "Karte neu erstellen")


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
