"""The overview of a space: figures that add up, and a reindex that is steered from there."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from imgrec import freshness, health, indexing, jobs, runs, states
from imgrec.admin import charts
from imgrec.freshness import ENDS, Spread
from imgrec.models import EmbeddingJob, Freshness, QualityFigures, Space
from imgrec.spaces import SpaceDefinition
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
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db


@pytest.fixture
def space() -> SpaceDefinition:
    return the_space()


@pytest.fixture
def merchant() -> Client:
    return client_of("view_product", "change_product")


def steer(client: Client, action: str) -> str:
    return text_of(client.post(page("run"), {"action": action}, follow=True))


def test_the_states_add_up_to_the_catalogue(merchant: Client, space: SpaceDefinition) -> None:
    make_products(3)
    make_failed()
    Product.objects.create(title="no photo")
    Product.objects.create(photo=upload(0.4))  # waits
    body = text_of(merchant.get(page("overview")))
    shown = [int(n) for n in re.findall(r"<li class=\"imgrec-state [^>]+><b>(\d+)</b>", body)]
    assert sum(shown) == Product.objects.count() == 6
    assert "Together 6 rows" in body
    assert re.search(r'<svg class="imgrec-stack"[^>]+aria-label="ready 3, ', body)
    assert not re.search(r'style="', body)  # a strict content security policy allows it


def test_parts_fill_the_bar_and_the_smallest_is_seen() -> None:
    counts = {"ready": 100_000, "failed": 1, "queued": 500}
    parts = charts.stacked(counts)
    assert [part.state.value for part in parts] == ["ready", "failed", "queued"]
    assert sum(part.width for part in parts) == pytest.approx(charts.WIDTH, abs=0.1)
    assert min(part.width for part in parts) >= charts.LEAST_WIDTH
    assert charts.stacked(dict.fromkeys(states.PhotoState.values, 0)) == []


def test_failures_are_counted_by_reason_and_tried_again(merchant: Client) -> None:
    make_failed()
    body = text_of(merchant.get(page("overview")))
    assert re.search(r"reason=not_an_image\"><b>1</b>", body)
    address = re.search(r'action="([^"]+/retry/[^"]*)"', body)
    assert address
    form = {"reason": "not_an_image", "retry": "all"}
    body = text_of(merchant.post(address.group(1), form, follow=True))
    assert "1 photo queued." in body


def test_saved_photos_are_timed_until_their_list_is_there(space: SpaceDefinition) -> None:
    for seconds in (0.5, 4, 4, 45):
        product = Product.objects.create(photo=upload(seconds / 50))
        waited = timedelta(seconds=seconds)
        EmbeddingJob.objects.filter(object_pk=product.pk).update(
            created_at=F("created_at") - waited
        )
        indexing.work()
    spread = freshness.last_day(space)
    assert spread.total == 4
    assert spread.photos[ENDS.index(5)] == 2
    assert spread.photos[ENDS.index(60)] == 1
    half, most = spread.seconds_of(0.5), spread.seconds_of(0.95)
    assert half is not None
    assert most is not None
    assert 3 <= half <= 5
    assert 30 <= most <= 60


def test_neither_a_reindex_nor_a_sweep_counts(space: SpaceDefinition) -> None:
    products = make_products(3)
    before = freshness.last_day(space).total
    products[0].photo.storage.delete(products[0].photo.name)
    Product.objects.filter(pk=products[0].pk).update(photo=products[1].photo.name)
    runs.start(space)
    indexing.work()
    assert freshness.last_day(space).total == before == 3


def test_old_hours_go(space: SpaceDefinition) -> None:
    make_products(1)
    ago = timedelta(hours=49)
    Freshness.objects.update(hour=F("hour") - ago)
    assert freshness.last_day(space).total == 0
    Product.objects.create(photo=upload(0.7))
    indexing.work()
    assert Freshness.objects.count() == 1


def test_percentiles_of_a_histogram() -> None:
    spans = [0] * (len(ENDS) + 1)
    assert Spread(tuple(spans)).seconds_of(0.5) is None
    spans[0] = 10
    assert Spread(tuple(spans)).seconds_of(0.5) == pytest.approx(0.5)
    spans[-1] = 90
    assert Spread(tuple(spans)).seconds_of(0.5) == ENDS[-1]


def test_the_figures_of_the_last_evaluation(merchant: Client) -> None:
    make_products(6)
    assert "Not measured yet" in text_of(merchant.get(page("overview")))
    call_command("imgrec_eval", PRODUCT, "--label", "stock", "--copies", "2", stdout=StringIO())
    body = text_of(merchant.get(page("overview")))
    assert re.search(r"<dt>mAP@10</dt><dd><b>1\.000</b>", body)
    assert re.search(r"<dt>cropped</dt>", body)
    QualityFigures.objects.update(version="another")
    assert "They are of another version" in text_of(merchant.get(page("overview")))


def test_encoder_and_index_are_named(merchant: Client) -> None:
    make_products(2)
    body = text_of(merchant.get(page("overview")))
    assert "colour_grid-4-p1" in body
    assert body.count("there and whole") == 2


def test_it_costs_as_much_with_many_as_with_few(merchant: Client) -> None:
    counts = []
    for _each in range(2):
        make_products(4)
        with CaptureQueriesContext(connection) as captured:
            merchant.get(page("overview"))
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_pause_and_resume(merchant: Client, space: SpaceDefinition) -> None:
    make_products(3)
    runs.start(space)
    assert "Paused. Photos that are saved" in steer(merchant, "pause")
    assert not jobs.is_due(space)
    assert not indexing.is_crowded()
    saved = Product.objects.create(photo=upload(0.9))
    indexing.work()
    assert space.embedding_model.objects.filter(owner=saved).exists()
    assert EmbeddingJob.objects.filter(state="queued").count() == 3
    body = text_of(merchant.get(page("overview")))
    assert "Paused at 0 of 3 photos" in body
    assert "Pause</button>" not in body
    assert "The reindex goes on." in steer(merchant, "resume")
    indexing.work()
    assert not EmbeddingJob.objects.exists()
    assert "The last reindex is finished: 3 photos." in text_of(merchant.get(page("overview")))


def test_a_paused_run_is_no_stall(space: SpaceDefinition) -> None:
    make_products(2)
    runs.start(space)
    ago = timedelta(hours=1)
    EmbeddingJob.objects.update(created_at=F("created_at") - ago)
    Space.objects.filter(label=PRODUCT).update(run_started_at=F("run_started_at") - ago)
    mine = next(each for each in health.examine() if each.label == PRODUCT)
    assert mine.oldest_waiting_seconds
    assert mine.oldest_waiting_seconds >= 3600
    assert runs.progress(space).stalled
    runs.pause(space)
    mine = next(each for each in health.examine() if each.label == PRODUCT)
    assert mine.oldest_waiting_seconds is None
    assert mine.jobs["queued"] == 2
    assert not runs.progress(space).stalled


def test_cancel_takes_what_is_queued(merchant: Client, space: SpaceDefinition) -> None:
    make_products(4)
    runs.start(space)
    first = EmbeddingJob.objects.order_by("id").first()
    assert first
    first.delete()  # done
    saved = Product.objects.create(photo=upload(0.9))
    assert "Cancelled: 3 photos were taken" in steer(merchant, "cancel")
    assert [job.object_pk for job in EmbeddingJob.objects.all()] == [str(saved.pk)]
    now = runs.progress(space)
    assert (now.total, now.done, now.running) == (1, 1, False)
    assert states.count_states(space)["ready"] == 4
    assert runs.start(space) == 5


@pytest.mark.parametrize("action", ["pause", "cancel"])
def test_where_nothing_runs_nothing_is_steered(merchant: Client, action: str) -> None:
    assert "No reindex of this space is running." in steer(merchant, action)


def test_another_run_begins_unpaused(space: SpaceDefinition) -> None:
    make_products(1)
    runs.start(space)
    runs.pause(space)
    runs.cancel(space)
    runs.start(space)
    assert runs.progress(space).paused_at is None
    indexing.work()
    assert not EmbeddingJob.objects.exists()


def test_who_may_look_and_who_may_steer(merchant: Client, space: SpaceDefinition) -> None:
    make_products(1)
    runs.start(space)
    viewer = client_of("view_product")
    body = text_of(viewer.get(page("overview")))
    assert "Pause</button>" not in body
    assert 'name="action"' in text_of(merchant.get(page("overview")))
    assert viewer.post(page("run"), {"action": "cancel"}).status_code == 403
    assert client_of().get(page("overview")).status_code == 403
    assert Client().get(page("overview")).status_code == 302
    assert merchant.get(page("run")).status_code == 405
    assert merchant.post(page("run"), {"action": "explode"}).status_code == 404
    strict = client_of("change_product", csrf=True)
    assert strict.post(page("run"), {"action": "cancel"}).status_code == 403
    assert EmbeddingJob.objects.filter(state="queued").count() == 1


def test_it_is_linked(merchant: Client) -> None:
    make_products(1)
    assert "imgrec/overview/" in text_of(merchant.get("/admin/testapp/product/"))
    spaces: Any = client_of("view_space", "view_product")
    assert "product/imgrec/overview/" in text_of(spaces.get("/admin/imgrec/space/"))
