"""Log records say in attributes which product and which job they are about."""

from __future__ import annotations

import logging
from logging import LogRecord
from logging.config import DictConfigurator  # type: ignore[attr-defined]
from typing import Any

import pytest
from django.db.models.functions import Now
from django.template import Context, Template

from imgrec import indexing, sweep
from imgrec.models import EmbeddingJob
from tests.pictures import upload
from tests.readme import snippets, table
from tests.testapp.models import Item, ItemPhoto, Product
from tests.worker import ROOT

pytestmark = pytest.mark.django_db
NAMES = "imgrec_"


def told(record: LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name.startswith(NAMES)}


def test_a_photo_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    item = Item.objects.create(title="mug")
    photo = ItemPhoto.objects.create(item=item, image=upload(0.1))
    photo.image.storage.delete(photo.image.name)
    job = EmbeddingJob.objects.get(object_pk=str(photo.pk))
    indexing.work()
    (record,) = [each for each in caplog.records if each.levelname == "WARNING"]
    assert told(record) == {
        "imgrec_space": "testapp.itemphoto.embedding",
        "imgrec_job": job.pk,
        "imgrec_photo": str(photo.pk),
        "imgrec_product": str(item.pk),
        "imgrec_attempt": 1,
        "imgrec_reason": "file_missing",
    }


def test_a_photo_that_is_embedded_and_one_started_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "imgrec")
    products = [Product.objects.create(photo=upload(hue)) for hue in (0.1, 0.5)]
    EmbeddingJob.objects.filter(object_pk=str(products[1].pk)).update(
        state="leased", attempts=1, due_at=Now()
    )
    indexing.work()
    done = [each for each in caplog.records if each.getMessage().endswith("is embedded")]
    assert {vars(each)["imgrec_product"] for each in done} == {str(p.pk) for p in products}
    (again,) = [
        each for each in caplog.records if "is started for the 2. time" in each.msg % each.args
    ]
    assert told(again)["imgrec_product"] == str(products[1].pk)
    assert told(again)["imgrec_attempt"] == 2


def test_a_page_without_its_list(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = Product.objects.create(photo=upload(0.1))
    monkeypatch.setattr("imgrec.quiet._logged_at", {})
    monkeypatch.setattr("imgrec.similar.likely_served", lambda model: 1 / 0)
    template = Template("{% load imgrec %}{% similar_products product %}")
    assert template.render(Context({"product": product})) == ""
    (record,) = caplog.records
    assert told(record) == {"imgrec_product": str(product.pk)}


def test_a_sweep(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "imgrec")
    Product.objects.bulk_create([Product(photo="somewhere.png")])
    sweep.sweep()
    (record,) = caplog.records
    assert told(record) == {"imgrec_space": "testapp.product.embedding"}


def test_the_names_are_the_documented_ones() -> None:
    sources = [(ROOT / "imgrec" / name).read_text() for name in ("logs.py", "quiet.py")]
    used = {word for text in sources for word in text.split('"') if word.startswith(NAMES)}
    assert used == set(table("Logs", page=ROOT / "docs" / "production.md"))


def test_the_documented_logging_shows_them() -> None:
    page = ROOT / "docs" / "production.md"
    (code,) = [each.code for each in snippets("python", page=page) if "LOGGING" in each.code]
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102 - our own page
    formatter = DictConfigurator(found["LOGGING"]).configure_formatter(
        dict(found["LOGGING"]["formatters"]["imgrec"])
    )
    record = logging.makeLogRecord({"msg": "failed", "imgrec_job": 7})
    assert formatter.format(record).endswith("failed product=- job=7")
