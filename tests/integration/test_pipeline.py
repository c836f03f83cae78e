"""Photos on their way through a process: ahead of the encoder, never too far, never lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models.functions import Now
from PIL import Image

from imgrec import batches, indexing, photo_queries, pipeline, states
from imgrec.claims import claim
from imgrec.images import open_picture
from imgrec.models import EmbeddingJob
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition, space_by_label
from imgrec.testing import ColourGrid
from tests.pictures import upload
from tests.storages import Gate, on_opening
from tests.testapp.models import Product
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db
JOBS = EmbeddingJob.objects


@pytest.fixture
def space() -> SpaceDefinition:
    found = space_by_label("testapp.product.embedding")
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    pipeline._retried_until.clear()
    yield
    left = [each for each in threading.enumerate() if each.name.startswith("imgrec-reader")]
    for thread in left:
        thread.join(10)
    assert not any(thread.is_alive() for thread in left)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate()
    on_opening(monkeypatch, made)
    yield made
    made.let_through()


def make(count: int) -> list[Product]:
    return [Product.objects.create(photo=upload(i / count)) for i in range(count)]


def let_leases_run_out() -> None:
    JOBS.filter(state="leased").update(due_at=Now())


def states_of(space: SpaceDefinition) -> dict[str, int]:
    return {state: n for state, n in states.count_states(space).items() if n}


def use(settings: Any, **imgrec: object) -> None:
    settings.IMGREC = {**settings.IMGREC, **imgrec}


class Counting:
    """Counts the pictures that are embedded, and calls ``before`` each time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pictures = 0
        self.before: Any = lambda number: None
        embed = ColourGrid.embed

        def counted(encoder: ColourGrid, pictures: Sequence[Image.Image]) -> Any:
            self.before(len(pictures))
            self.pictures += len(pictures)
            return embed(encoder, pictures)

        monkeypatch.setattr(ColourGrid, "embed", counted)


@pytest.fixture
def embedded(space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch) -> Counting:
    indexing.warm_up(space)
    return Counting(monkeypatch)


class Killed(BaseException):
    """Stands for what ends a process at once."""


@pytest.mark.parametrize("threads", [0, 1, 4])
@pytest.mark.parametrize("batch_size", [1, 2, 7, 64])
def test_every_photo_has_its_own_vector(
    space: SpaceDefinition, settings: Any, threads: int, batch_size: int
) -> None:
    use(settings, decode_threads=threads, batch_size=batch_size)
    products = make(23)
    indexing.work()
    assert states_of(space) == {"ready": 23}
    for product in products:
        with product.photo.storage.open(product.photo.name) as file:
            expected = ColourGrid().embed([open_picture(file.read())])[0]
        stored = space.embedding_model.objects.get(pk=product.pk)
        assert np.abs(np.asarray(stored.vector) - expected).max() < 1e-3


def test_photos_that_come_late_delay_no_other(
    space: SpaceDefinition, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one is the last to be read: the result is the same."""
    use(settings, batch_size=8)
    products = make(8)
    others = threading.Semaphore(0)
    first = products[0].photo.name

    def in_any_order(name: str) -> None:
        if name != first:
            others.release()
            return
        for _each in range(3):
            assert others.acquire(timeout=10)

    on_opening(monkeypatch, in_any_order)
    indexing.work()
    stored = dict(space.embedding_model.objects.values_list("pk", "source_name"))
    assert stored == {product.pk: product.photo.name for product in products}
    assert len({tuple(e.vector) for e in space.embedding_model.objects.all()}) == 8


def test_the_next_photos_are_read_while_these_are_embedded(
    space: SpaceDefinition,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    embedded: Counting,
) -> None:
    use(settings, batch_size=8)
    make(24)
    ahead = threading.Event()
    opened: list[str] = []

    def note(name: str) -> None:
        opened.append(name)
        if len(opened) > embedded.pictures + 4:
            ahead.set()

    def wait_for_the_next(number: int) -> None:
        if embedded.pictures + number < 24:
            assert ahead.wait(10), "nothing was read meanwhile"
            ahead.clear()

    on_opening(monkeypatch, note)
    embedded.before = wait_for_the_next
    indexing.process(space, seconds=60)
    assert (len(opened), embedded.pictures) == (24, 24)


def test_no_more_than_a_batch_is_in_hand(
    space: SpaceDefinition,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    embedded: Counting,
) -> None:
    use(settings, batch_size=8)
    make(40)
    opened: list[str] = []
    in_hand: list[int] = []
    leased: list[int] = []
    on_opening(monkeypatch, opened.append)

    def count(number: int) -> None:
        in_hand.append(len(opened) - embedded.pictures)
        leased.append(JOBS.filter(state="leased").count())

    embedded.before = count
    indexing.process(space, seconds=60)
    assert embedded.pictures == 40
    assert max(in_hand) <= 8
    assert max(leased) == 8


def test_a_killed_process_redoes_a_batch_at_most(
    space: SpaceDefinition, settings: Any, embedded: Counting
) -> None:
    use(settings, batch_size=8)
    make(40)

    def kill(number: int) -> None:
        if embedded.pictures >= 20:
            raise Killed

    embedded.before = kill
    with pytest.raises(Killed):
        indexing.work()
    assert space.embedding_model.objects.count() == embedded.pictures == 20
    assert JOBS.filter(state="leased").count() <= 8
    embedded.before = lambda number: None
    let_leases_run_out()
    indexing.work()
    assert states_of(space) == {"ready": 40}
    assert embedded.pictures == 40


@pytest.mark.parametrize("max_attempts", [2, 3])
def test_a_picture_that_kills_starts_so_often_and_no_more(
    space: SpaceDefinition,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    max_attempts: int,
) -> None:
    use(settings, batch_size=8, max_attempts=max_attempts)
    products = make(30)
    killer = products[13].photo.name
    starts: list[str] = []

    def kill(name: str) -> None:
        if name == killer:
            starts.append(name)
            raise Killed

    on_opening(monkeypatch, kill)
    for _life in range(max_attempts):
        with pytest.raises(Killed):
            indexing.work()
        let_leases_run_out()
        pipeline._retried_until.clear()
    indexing.work()
    assert len(starts) == max_attempts
    assert states_of(space) == {"failed": 1, "ready": 29}
    assert JOBS.get().reason == Reason.WORKER_DIED


def test_a_slow_storage_keeps_its_leases(
    space: SpaceDefinition, settings: Any, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    """For more than twice a lease nothing comes, and nobody else gets the photos."""
    use(settings, batch_size=8, lease_seconds=1)
    make(8)
    taken: list[object] = []
    ticks: list[int] = []

    def look_around() -> None:
        taken.extend(claim(space))
        ticks.append(1)
        if len(ticks) * batches.TICK_SECONDS > 2.2:
            gate.let_through()

    monkeypatch.setattr(photo_queries, "answer_waiting", look_around)
    assert indexing.process(space)
    assert taken == []
    assert states.count_states(space)["queued"] == 8, "their lists follow"
    assert space.embedding_model.objects.count() == 8


def test_a_storage_that_hangs_is_given_up_for_now(
    space: SpaceDefinition, settings: Any, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    use(settings, batch_size=4)
    monkeypatch.setattr(batches, "PATIENCE_LEASES", 0)
    make(4)
    assert indexing.process(space)
    waiting = JOBS.values_list("state", "reason").distinct().get()
    assert waiting == ("queued", Reason.STORAGE_ERROR)


def test_a_soft_time_limit_ends_the_waiting(
    space: SpaceDefinition, settings: Any, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    """What had not begun is not begun, and no photo is to blame."""
    use(settings, batch_size=8, decode_threads=1)
    make(8)

    def at_its_limit() -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(photo_queries, "answer_waiting", at_its_limit)
    with pytest.raises(SoftTimeLimitExceeded):
        indexing.work()
    gate.let_through()
    for thread in threading.enumerate():
        if thread.name.startswith("imgrec-reader"):
            thread.join(10)
    assert len(gate.names) <= 1
    assert set(JOBS.values_list("state", "reason")) == {("leased", "")}


def test_shoppers_are_answered_while_a_storage_is_slow(
    space: SpaceDefinition,
    monkeypatch: pytest.MonkeyPatch,
    redis_server: object,
    gate: Gate,
) -> None:
    make(3)
    redis = photo_queries._redis(5)
    redis.flushdb()
    redis.set("imgrec:photo:token", upload(0.4).read())
    redis.lpush(photo_queries.QUEUE, f"token {space.label}")
    answer = photo_queries.answer_waiting
    answered: list[int] = []

    def then_go_on() -> int:
        answered.append(answer())
        gate.let_through()
        return answered[-1]

    monkeypatch.setattr(photo_queries, "answer_waiting", then_go_on)
    indexing.process(space)
    assert answered[0] == 1
    assert redis.llen("imgrec:answer:token") == 1
    assert space.embedding_model.objects.count() == 3


def test_photos_started_before_do_not_wait_for_the_end_of_a_reindex(
    space: SpaceDefinition, settings: Any
) -> None:
    use(settings, batch_size=4)
    products = make(20)
    again = str(products[19].pk)
    JOBS.filter(object_pk=again).update(attempts=1)
    indexing.process(space)
    assert space.embedding_model.objects.filter(pk=again).exists()
    assert JOBS.filter(state="queued").count() == 15


def test_one_that_was_started_before_is_alone(
    space: SpaceDefinition, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(settings, batch_size=4)
    products = make(12)
    JOBS.filter(object_pk=str(products[5].pk)).update(attempts=1)
    with_it: list[int] = []

    def note(name: str) -> None:
        if name == products[5].photo.name:
            with_it.append(1)

    on_opening(monkeypatch, note)
    started = pipeline.Batch.start

    def counted(batch: Any) -> None:
        if any(each.attempts > 1 for each in batch.claims):
            assert len(batch.claims) == 1
            assert JOBS.filter(state="leased").count() == 1
        started(batch)

    monkeypatch.setattr(pipeline.Batch, "start", counted)
    indexing.work()
    assert with_it == [1]
    assert states_of(space) == {"ready": 12}


class Staged:
    """Gives the grid of colours what an encoder has that prepares pictures apart."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.threads: set[str] = set()
        self.batches: list[int] = []
        embed = ColourGrid.embed

        def prepare(encoder: ColourGrid, picture: Image.Image) -> Any:
            self.threads.add(threading.current_thread().name)
            return np.asarray(picture.resize((16, 16)))

        def embed_prepared(encoder: ColourGrid, inputs: Sequence[Any]) -> Any:
            self.batches.append(len(inputs))
            return embed(encoder, [Image.fromarray(each) for each in inputs])

        monkeypatch.setattr(ColourGrid, "decoded_side", 16, raising=False)
        monkeypatch.setattr(ColourGrid, "prepare", prepare, raising=False)
        monkeypatch.setattr(ColourGrid, "embed_prepared", embed_prepared, raising=False)


def test_pictures_are_prepared_in_the_threads(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged = Staged(monkeypatch)
    make(20)
    indexing.process(space)
    assert {name.rpartition("-")[0] for name in staged.threads} == {"imgrec-reader"}
    assert staged.batches == [16, 4]
    assert space.embedding_model.objects.count() == 20


def test_an_encoder_that_cannot_prepare_a_picture(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    Staged(monkeypatch)
    make(3)
    Product.objects.create(photo=upload(0.5, shade=0.3))
    prepare = ColourGrid.prepare  # type: ignore[attr-defined]

    def fails_on_dark_ones(encoder: ColourGrid, picture: Image.Image) -> Any:
        if max(picture.getpixel((0, 0))) < 200:  # type: ignore[arg-type]
            raise RuntimeError("boom")
        return prepare(encoder, picture)

    monkeypatch.setattr(ColourGrid, "prepare", fails_on_dark_ones)
    indexing.work()
    assert states_of(space) == {"failed": 1, "ready": 3}
    job = JOBS.get()
    assert job.reason == Reason.EMBEDDER_FAILED
    assert "RuntimeError: boom" in job.message


@pytest.mark.django_db(transaction=True)
def test_threads_leave_no_connection_behind(
    space: SpaceDefinition, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(settings, batch_size=8)
    make(12)

    def backends() -> int:
        """Count clients: the server's own vacuum comes and goes."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND backend_type = 'client backend'"
            )
            return int(cursor.fetchone()[0])

    asked: list[int] = []
    before = backends()
    on_opening(monkeypatch, lambda name: asked.append(Product.objects.count()))
    indexing.process(space, seconds=60)
    assert asked == [12] * 12, "a storage may ask the database"
    # the server takes a moment to notice who left
    assert wait_until(lambda: backends() == before, 10), backends()


def test_a_broken_photo_harms_no_other_in_any_half(space: SpaceDefinition, settings: Any) -> None:
    use(settings, batch_size=4)
    make(10)
    for number in range(3):
        Product.objects.create(photo=ContentFile(b"?", name=f"broken{number}.jpg"))
    indexing.work()
    assert states_of(space) == {"failed": 3, "ready": 10}
