"""What Prometheus reads: facts of the shop, and what processes counted, all of them together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import Error
from django.template import Context, Template
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from imgrec import indexing, similar_products, sweep
from imgrec.models import EmbeddingJob
from imgrec.monitoring import exposition, metrics
from imgrec.setting_checks import check_settings
from imgrec.signals import left_out, searched
from tests.pictures import upload
from tests.testapp.models import Product
from tests.worker import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_index")]
LABEL = "testapp.product.embedding"
Samples = dict[tuple[str, frozenset[str]], float]


@pytest.fixture
def products() -> list[Product]:
    made = [Product.objects.create(photo=upload(number / 5)) for number in range(5)]
    sweep.sweep()
    indexing.work()
    return made


@pytest.fixture
def counting(settings: object) -> Iterator[None]:
    """This process counts, as one with ``IMGREC["metrics"]`` does."""
    settings.IMGREC = {**settings.IMGREC, "metrics": True}  # type: ignore[attr-defined]
    metrics.connect()
    yield
    for signal in (searched, left_out):
        assert signal.disconnect(dispatch_uid="imgrec.metrics")


def scraped(text: str) -> Samples:
    """Return each sample by its name and the values of its labels."""
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(client: Client) -> Samples:
    answer = client.get("/imgrec/metrics/")
    assert (answer.status_code, answer["Content-Type"][:10]) == (200, "text/plain")
    return scraped(answer.content.decode())


def value(found: Samples, name: str, *labels: str) -> float:
    return found.get((name, frozenset(labels)), 0)


def test_the_facts_of_the_shop(client: Client, products: list[Product]) -> None:
    products[0].photo.storage.delete(products[0].photo.name)
    EmbeddingJob.objects.create(space=LABEL, object_pk=str(products[0].pk))
    indexing.work()
    Product.objects.create(photo=upload(0.9))
    found = scrape(client)
    assert value(found, "imgrec_jobs", LABEL, "queued") == 1
    assert value(found, "imgrec_jobs", LABEL, "failed") == 1
    assert value(found, "imgrec_troubles", LABEL, "failed", "file_missing") == 1
    assert value(found, "imgrec_photos_total", LABEL, "embedded") == 5
    assert value(found, "imgrec_photos_total", LABEL, "failed") == 1
    assert value(found, "imgrec_sweeps_total", LABEL) == 1
    assert value(found, "imgrec_lists_followed_total", LABEL) >= 5
    assert value(found, "imgrec_healthy", LABEL) == value(found, "imgrec_database_up") == 1
    assert 0 <= value(found, "imgrec_oldest_waiting_seconds", LABEL) < 60


def test_nothing_waits_is_a_zero_and_no_gap(client: Client, products: list[Product]) -> None:
    assert scrape(client)["imgrec_oldest_waiting_seconds", frozenset([LABEL])] == 0


@pytest.mark.usefixtures("counting")
def test_searches_by_their_way_and_lists_that_were_short(
    client: Client, products: list[Product]
) -> None:
    before = scrape(client)
    similar_products(products[0], limit=4)
    among = Product.objects.filter(pk__in=[each.pk for each in products])
    similar_products([products[0], products[1]], limit=2, among=among)  # no list is of two
    indexing.all_spaces()[0].list_model.objects.filter(owner=products[2].pk).delete()
    similar_products(products[2], limit=4)
    after = scrape(client)

    def more(name: str, *labels: str) -> float:
        return value(after, name, LABEL, *labels) - value(before, name, LABEL, *labels)

    assert more("imgrec_search_seconds_count", "list") == 1
    assert more("imgrec_search_seconds_count", "exact") == 2
    assert more("imgrec_short_lists_total") == 1
    assert more("imgrec_search_seconds_sum", "exact") > 0


@pytest.mark.usefixtures("counting")
def test_each_page_without_its_list_is_counted(client: Client) -> None:
    before = scrape(client)
    template = Template("{% load imgrec %}{% similar_products product %}")
    for _ in range(3):
        assert template.render(Context({"product": 7})) == ""
    kinds = {name: n for name, n in scrape(client).items() if name[0] == "imgrec_left_out_total"}
    assert sum(kinds.values()) - sum(before.get(name, 0) for name in kinds) == 3


def test_nothing_is_counted_unless_it_is_wanted(products: list[Product], client: Client) -> None:
    before = scrape(client)
    similar_products(products[0])
    after = scrape(client)
    names = ("imgrec_search_seconds_count", "imgrec_short_lists_total")
    assert [after.get(key) for key in after if key[0] in names] == [
        before.get(key) for key in after if key[0] in names
    ]


def test_without_a_database_the_scrape_still_answers(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise Error("away")

    monkeypatch.setattr(exposition, "examine", away)
    found = scrape(client)
    assert found["imgrec_database_up", frozenset()] == 0
    assert not any(name == "imgrec_jobs" for name, _labels in found)


def test_without_the_extra_there_is_no_page_and_a_check(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    monkeypatch.setattr(metrics, "find_spec", lambda name: None)
    monkeypatch.setattr("imgrec.setting_checks.find_spec", lambda name: None)
    assert client.get("/imgrec/metrics/").status_code == 404
    assert check_settings() == []
    settings.IMGREC = {**settings.IMGREC, "metrics": True}  # type: ignore[attr-defined]
    (error,) = check_settings()
    assert (error.id, "imgrec[metrics]" in str(error.hint)) == ("imgrec.E011", True)
    metrics.connect()  # and nothing breaks
    assert not searched.disconnect(dispatch_uid="imgrec.metrics")


SEARCH = """
import django; django.setup()
from imgrec import similar_products
from tests.testapp.models import Product
similar_products(Product.objects.first(), limit=2)
"""
SCRAPE = """
import django; django.setup()
from imgrec.monitoring.exposition import render
print(render().decode())
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_all_processes_are_counted_together(
    products: list[Product], environment: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    theirs = {**environment(metrics=True), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def run(code: str) -> str:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=theirs, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    for _ in range(2):
        run(SEARCH)
    found = scraped(run(SCRAPE))
    assert value(found, "imgrec_search_seconds_count", LABEL, "list") == 2
    assert value(found, "imgrec_photos_total", LABEL, "embedded") == 5
