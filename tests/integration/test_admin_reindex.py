"""Reindex everything from the admin, and watch it."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.db.models import F
from django.test import Client
from django.utils.translation import override

from imgrec import indexing, runs
from imgrec.admin import words
from imgrec.models import EmbeddingJob, Space
from imgrec.watching import Watch
from tests.integration.admin_pages import (
    PRODUCT,
    client_of,
    make_failed,
    make_products,
    page,
    text_of,
    the_space,
)
from tests.pictures import upload
from tests.testapp.models import Product, TwoSpaces

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchant() -> Client:
    models = ("product", "twospaces")
    return client_of(*(f"{right}_{model}" for right in ("view", "change") for model in models))


def test_from_the_button_to_the_end(merchant: Client) -> None:
    make_products(3)
    Product.objects.create(title="no photo")
    body = text_of(merchant.get("/admin/testapp/product/"))
    url = html.unescape(re.search(r'href="([^"]+)">Reindex all', body).group(1))  # type: ignore[union-attr]
    assert "3 photos of <b>testapp.product.embedding</b>" in text_of(merchant.get(url))
    assert not EmbeddingJob.objects.exists()
    body = text_of(merchant.post(url, follow=True))
    assert "3 photos queued." in body
    assert "0 of 3 photos" in body
    indexing.work()
    body = text_of(merchant.get(page("progress")))
    assert "The last reindex is finished: 3 photos." in body
    assert "<progress" not in body


def test_a_second_one_is_refused_while_one_runs(merchant: Client) -> None:
    make_products(2)
    merchant.post(page("reindex"))
    body = text_of(merchant.get(page("reindex")))
    assert "already running" in body
    assert "Yes, reindex all" not in body
    assert "already running" in text_of(merchant.post(page("reindex"), follow=True))
    assert EmbeddingJob.objects.count() == 2


def test_a_space_that_is_off_says_so(merchant: Client) -> None:
    Space.objects.filter(label=PRODUCT).update(is_active=False)
    assert "switched off" in text_of(merchant.get(page("reindex")))
    assert "switched off" in text_of(merchant.post(page("reindex"), follow=True))


def test_the_numbers_come_from_the_jobs(merchant: Client) -> None:
    products = make_products(4)
    runs.start(the_space())
    ago = timedelta(seconds=100)
    EmbeddingJob.objects.update(created_at=F("created_at") - ago)
    Space.objects.filter(label=PRODUCT).update(run_started_at=F("run_started_at") - ago)
    EmbeddingJob.objects.filter(object_pk=str(products[0].pk)).delete()
    answer = merchant.get(page("progress_data")).json()
    assert (answer["total"], answer["done"], answer["waiting"]) == (4, 1, 3)
    assert answer["running"]
    assert answer["busy"]
    assert answer["rate_per_second"] == pytest.approx(0.01, rel=0.1)
    assert answer["seconds_left"] == pytest.approx(300, rel=0.1)
    assert answer["said"]["summary"] == "1 of 4 photos"
    assert answer["said"]["left"] == "about 6 minutes left"
    indexing.work()
    answer = merchant.get(answer["next"]).json()
    assert (answer["done"], answer["running"], answer["busy"]) == (4, False, False)


def test_the_answer_carries_what_the_next_must_remember(merchant: Client) -> None:
    make_products(2)
    runs.start(the_space())
    answer = merchant.get(page("progress_data")).json()
    assert not answer["stalled"]
    watch = runs.progress(the_space()).watch
    old = Watch(watch.opened_at - 60, 0, watch.waiting, watch.moved_at - 60)
    answer = merchant.get(page("progress_data", watch=str(old))).json()
    assert answer["stalled"]
    assert "celery -A yourproject worker -Q imgrec" in answer["said"]["trouble"]
    again = merchant.get(answer["next"]).json()
    assert again["stalled"]


def test_the_page_works_with_and_without_scripts(merchant: Client) -> None:
    make_products(2)
    runs.start(the_space())
    body = text_of(merchant.get(page("progress")))
    assert 'src="/static/imgrec/progress.js"' in body
    refresh = re.search(r'<noscript><meta http-equiv="refresh" content="5;url=([^"]+)">', body)
    assert refresh
    assert "0 of 2 photos" in text_of(merchant.get(html.unescape(refresh.group(1))))
    assert not re.search(r'style="|<script>', body)  # a strict content security policy allows it
    indexing.work()
    assert "progress.js" not in text_of(merchant.get(page("progress")))


def test_work_of_saved_photos_is_watched_too(merchant: Client) -> None:
    Product.objects.create(photo=upload(0.1))
    body = text_of(merchant.get(page("progress")))
    assert "1 photo waits." in body
    assert "progress.js" in body


def test_what_is_in_the_way_is_shown(merchant: Client) -> None:
    Product.objects.create(photo=upload(0.1))
    EmbeddingJob.objects.update(message="Weights <missing>.")
    assert "Weights &lt;missing&gt;." in text_of(merchant.get(page("progress")))


def test_failed_photos_are_linked_from_the_progress(merchant: Client) -> None:
    make_failed()
    runs.start(the_space())
    indexing.work()
    body = text_of(merchant.get(page("progress")))
    assert re.search(r"imgrec/failed/\?space=[^>]+>1 photo failed", body)


def test_two_spaces_each_with_its_own_run(merchant: Client) -> None:
    TwoSpaces.objects.create(photo=upload(0.3))
    indexing.work()
    coarse = page("reindex", "twospaces", space="testapp.twospaces.coarse")
    body = text_of(merchant.get(coarse))
    assert re.search(r'aria-current="page">coarse', body)
    assert re.search(r'>fine <span class="imgrec-tag">served', body)
    merchant.post(coarse)
    assert {job.space for job in EmbeddingJob.objects.all()} == {"testapp.twospaces.coarse"}
    assert "0 of 1 photos" in text_of(
        merchant.get(page("progress", "twospaces", space="testapp.twospaces.coarse"))
    )
    assert "No reindex" in text_of(merchant.get(page("progress", "twospaces")))


def progress(**values: Any) -> Any:
    """Return a progress with nothing going on but this."""
    none = {"total": 0, "done": 0, "failed": 0, "lists": 0, "waiting": 0, "running": False}
    more = {"stalled": False, "rate_per_second": None, "seconds_left": None, "obstacle": ""}
    return Mock(**{**none, **more, "started_at": None, **values})


@pytest.mark.parametrize(
    ("seconds", "words_left"),
    [
        (0.2, "about 1 second left"),
        (89, "about 89 seconds left"),
        (91, "about 2 minutes left"),
        (5399, "about 90 minutes left"),
        (5400, "about 2 hours left"),
        (None, ""),
    ],
)
def test_time_left_in_words(seconds: float | None, words_left: str) -> None:
    assert words.said(progress(running=True, seconds_left=seconds))["left"] == words_left


def test_no_time_is_promised_while_nothing_moves() -> None:
    said = words.said(progress(running=True, seconds_left=10, stalled=True, waiting=3))
    assert said["left"] == ""
    assert said["trouble"]


def test_rates_in_words() -> None:
    assert words.said(progress(rate_per_second=12.3))["rate"] == "12 photos per second"
    assert words.said(progress(rate_per_second=0.5))["rate"] == "0.5 photos per second"


def test_lists_come_after_the_photos() -> None:
    said = words.said(progress(running=True, total=5, done=5, lists=5))
    assert said["summary"] == "All 5 photos are done; their lists are being updated."


def test_numbers_in_the_reader_s_language(settings: Any) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    with override("de"):
        said = words.said(progress(running=True, total=12000, done=1500, rate_per_second=2.5))
    assert "1.500" in said["summary"]
    assert "2,5" in said["rate"]
