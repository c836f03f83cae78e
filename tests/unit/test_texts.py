"""What imgrec says to merchants and shoppers can be translated, and German is complete."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
import rest_framework
from django.contrib import admin
from django.core.exceptions import SuspiciousOperation
from django.db import models
from django.utils import translation
from django.utils.functional import Promise
from pytest_django import Settings

from imgrec.errors import PhotoSearchUnavailable, PictureError
from imgrec.map_models import CatalogueMap
from imgrec.models import DuplicatePair, EmbeddingJob
from imgrec.reasons import ADVICE, Reason
from imgrec.regions import Place
from imgrec.rest_framework import errors
from imgrec.rest_framework.serializers import options_of
from imgrec.rules import Rule
from imgrec.runs import RunRefused
from imgrec.states import PhotoState
from tests.catalogues import (
    GERMAN,
    TEMPLATES,
    catalogue,
    forms,
    read,
    texts,
    texts_in,
    untranslated,
)

PLACES = re.compile(r"%(?:\(\w+\))?[a-z%]|\{\w*\}|</?\w[^>]*>")
# Names of figures, the same in every language.
FIGURES = {"AP", "mAP@"}


def test_every_text_has_its_german() -> None:
    translated = {text for text, entry in catalogue(GERMAN).items() if all(forms(entry.string))}
    missing = [f"{path}: {text}" for text, path in texts().items() if text not in translated]
    assert not missing, "make messages, then translate in imgrec/locale/de, then make messages"


def test_nothing_else_is_translated() -> None:
    assert set(catalogue(GERMAN)) <= set(texts()), "make messages"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('_("a cup")', (None, "a cup")),
        ('_("a cup " "of tea")', (None, "a cup of tea")),
        ('pgettext_lazy("imgrec", "used")', ("imgrec", "used")),
        ('ngettext("%(n)d cup", "%(n)d cups", n)', (None, ("%(n)d cup", "%(n)d cups"))),
        ('npgettext("tea", "cup", "cups", n)', ("tea", ("cup", "cups"))),
    ],
)
def test_texts_of_modules_are_found(source: str, text: object) -> None:
    assert list(texts_in(f"def said(n):\n    return {source}\n")) == [text]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('<p>\n  {% translate "a cup" %}</p>', (None, "a cup")),
        ('{% translate "used" context "imgrec" %}', ("imgrec", "used")),
        ('{{ cup|default:_("no cup") }}', (None, "no cup")),
        ("{% blocktranslate %}the “{{ n }}”{% endblocktranslate %}", (None, "the “%(n)s”")),
        (
            "{% blocktranslate count n=cups %}a cup{% plural %}{{ n }} cups{% endblocktranslate %}",
            (None, ("a cup", "%(n)s cups")),
        ),
    ],
)
def test_texts_of_templates_are_found(source: str, text: object) -> None:
    assert list(texts_in(source, is_template=True)) == [text]


def test_nothing_is_left_to_guesses() -> None:
    assert [entry.id for entry in read(GERMAN) if entry.fuzzy] == []


def test_places_and_tags_are_the_same() -> None:
    for entry in catalogue(GERMAN).values():
        for english, german in zip(forms(entry.id), forms(entry.string), strict=True):
            assert Counter(PLACES.findall(german)) == Counter(PLACES.findall(english)), german


def test_what_is_compiled_is_what_is_written() -> None:
    written, compiled = catalogue(GERMAN), catalogue(GERMAN.with_suffix(".mo"))
    assert {text: forms(entry.string) for text, entry in written.items()} == {
        text: forms(entry.string) for text, entry in compiled.items()
    }, "make messages"


def test_the_header_tells_of_nobody_and_no_day() -> None:
    said = re.findall(r'^"([\w-]+): (.*)\\n"$', GERMAN.read_text(), re.MULTILINE)
    assert dict(said) == {
        "Project-Id-Version": "imgrec",
        "Report-Msgid-Bugs-To": "",
        "Language": "de",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }


@pytest.mark.parametrize("package", [django, rest_framework], ids=lambda package: package.__name__)
def test_words_of_others_stay_theirs(package: object) -> None:
    """All apps' catalogues become one: a word of ours would change the whole admin's."""
    ours = catalogue(GERMAN)
    shared = [(ours[text], entry) for text, entry in _theirs(package) if text in ours]
    assert shared
    for our, their in shared:
        assert forms(our.string) == forms(their.string), our.id


def _theirs(package: object) -> Iterator[tuple[object, object]]:
    folder = Path(package.__file__).parent
    for path in folder.rglob("locale/de/LC_MESSAGES/django.mo"):
        yield from catalogue(path).items()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_templates_say_nothing_in_one_language_only(path: Path) -> None:
    assert set(untranslated(path.read_text())) <= FIGURES


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("<p>{{ n }} cups</p>", "cups"),
        ('<img alt="A cup" src="cup.png">', "A cup"),
        ('<input type="submit" value="Buy">', "Buy"),
        ("{% if a %}tea{% endif %}", "tea"),
    ],
)
def test_words_in_one_language_are_found(template: str, words: str) -> None:
    assert untranslated(template) == [words]
    assert untranslated(f"{{% blocktranslate %}}{template}{{% endblocktranslate %}}") == []


def test_columns_of_our_pages_have_names_to_translate() -> None:
    ours = [model for model in admin.site._registry if model._meta.app_label == "imgrec"]
    assert EmbeddingJob in ours
    for model in ours:
        for field in _shown(model):
            assert isinstance(field.verbose_name, Promise), f"{field}: give it a verbose_name"


def _shown(model: type[models.Model]) -> list[models.Field]:
    """Return the fields in the model's list or on its page; a key of ours is "id" everywhere."""
    model_admin = admin.site.get_model_admin(model)
    named = {*model_admin.list_display, *(model_admin.fields or [])}
    fields = [field for field in model._meta.concrete_fields if field.name != "id"]
    return [field for field in fields if not model_admin.fields or field.name in named]


def _labels() -> list[Promise]:
    """Return what states, reasons and refusals say."""
    states = [*PhotoState, *EmbeddingJob.State, *CatalogueMap.Stage]
    decisions = [*DuplicatePair.Decision, *Rule.Action, *Rule.Beside, *Rule.Target]
    choices = [*states, *decisions, *Reason, *Place]
    refusals = [*PhotoSearchUnavailable.SENTENCES.values(), *RunRefused.SENTENCES.values()]
    return [*(each._label_ for each in choices), *ADVICE.values(), *refusals]


def test_every_state_reason_and_refusal_in_german() -> None:
    assert list(ADVICE) == list(Reason)
    for label in _labels():
        with translation.override("en"):
            english = str(label)
        with translation.override("de"):
            assert str(label) != english


def _api_errors() -> dict[str, errors.ApiError]:
    """Return every error of the API in the language of the moment, by its code."""
    searches = PhotoSearchUnavailable.SENTENCES
    asked = [{"limit": "x"}, {"limit": 0}, {"min_similarity": "nan"}, {"group_by": "secret"}]
    asked += [{"price_band": 0}, {"price_band": 1}]
    made = [
        errors.not_found(),
        errors.no_such_page(),
        errors.as_json(SuspiciousOperation()),
        *(errors.of_picture(PictureError(reason)) for reason in Reason),
        *(errors.of_search(PhotoSearchUnavailable(code)) for code in searches),
        *(_refused(given) for given in asked),
    ]
    return {f"{n} {error.detail['code']}": error for n, error in enumerate(made)}


def _refused(given: dict[str, object]) -> errors.ApiError:
    with pytest.raises(errors.ApiError) as caught:
        options_of(given, names=given)
    return caught.value


def test_every_error_of_the_api_in_german(settings: Settings) -> None:
    # As in a project that has rest_framework among its apps: some sentences are its.
    settings.LOCALE_PATHS = [Path(rest_framework.__file__).parent / "locale"]
    with translation.override("en"):
        english = _api_errors()
    with translation.override("de"):
        german = _api_errors()
    assert list(german) == list(english)
    for code, error in german.items():
        assert str(error.detail["detail"]) != str(english[code].detail["detail"]), code
