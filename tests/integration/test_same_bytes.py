"""The same bytes are embedded once, and what did not change is not written again."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection
from PIL import Image

from imgrec import indexing, states
from imgrec.errors import PictureError
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition, space_by_label
from imgrec.testing import ColourGrid
from tests.pictures import upload
from tests.testapp.models import Item, ItemPhoto, Product

pytestmark = pytest.mark.django_db


@pytest.fixture
def space() -> SpaceDefinition:
    found = space_by_label("testapp.product.embedding")
    assert found is not None
    indexing.warm_up(found)
    return found


@pytest.fixture
def embedded(space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures each forward pass was given."""
    found: list[int] = []
    embed = ColourGrid.embed

    def counted(encoder: ColourGrid, pictures: Sequence[Image.Image]) -> Any:
        found.append(len(pictures))
        return embed(encoder, pictures)

    monkeypatch.setattr(ColourGrid, "embed", counted)
    return found


def written() -> dict[str, int]:
    """Return the rows written since the transaction began, by table; none: not there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables"
        )
        return dict(cursor.fetchall())


def test_products_that_share_a_photo_share_a_forward_pass(
    space: SpaceDefinition, embedded: list[int]
) -> None:
    for number in range(6):
        Product.objects.create(photo=upload(0.1 * (number % 2)))
    indexing.work()
    assert sum(embedded) == 2
    vectors = [tuple(each.vector) for each in space.embedding_model.objects.order_by("pk")]
    assert len(vectors) == 6
    assert len(set(vectors)) == 2
    assert vectors[0] == vectors[2] == vectors[4]


def test_a_photo_seen_before_is_not_embedded_for_another_product(
    space: SpaceDefinition, embedded: list[int]
) -> None:
    first = Product.objects.create(photo=upload(0.3))
    indexing.work()
    second = Product.objects.create(photo=upload(0.3, name="copy.png"))
    indexing.work()
    assert sum(embedded) == 1
    one, other = (space.embedding_model.objects.get(pk=each.pk) for each in (first, second))
    assert tuple(one.vector) == tuple(other.vector)
    assert other.source_name == second.photo.name
    assert states.count_states(space)["ready"] == 2


def test_another_version_of_the_encoder_shares_nothing(
    space: SpaceDefinition, embedded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    Product.objects.create(photo=upload(0.3))
    indexing.work()
    monkeypatch.setattr(ColourGrid, "version", "colour_grid-next")
    indexing.warm_up(space)
    del embedded[:]
    Product.objects.create(photo=upload(0.3))
    indexing.work()
    assert sum(embedded) == 1


def test_bytes_that_failed_for_one_are_judged_for_the_other_too(
    space: SpaceDefinition, settings: Any
) -> None:
    """Whoever waits for the other's decoding does not wait for ever."""
    settings.IMGREC = {**settings.IMGREC, "decode_threads": 1}
    for _each in range(3):
        Product.objects.create(photo=ContentFile(b"not a picture", name="broken.png"))
    indexing.work()
    assert states.count_states(space)["failed"] == 3


def test_one_that_was_spared_is_decoded_after_all(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """The photo that was to be decoded for both was too much for memory."""
    settings.IMGREC = {**settings.IMGREC, "decode_threads": 1}
    from imgrec import looking

    decode, calls = looking.decode, []

    def fails_at_first(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise PictureError(Reason.DAMAGED)
        return decode(*args)

    monkeypatch.setattr(looking, "decode", fails_at_first)
    Product.objects.create(photo=upload(0.3))
    Product.objects.create(photo=upload(0.3))
    indexing.work()
    found = states.count_states(space)
    assert (found["failed"], found["ready"], len(calls)) == (1, 1, 2)


def test_a_second_full_index_embeds_and_writes_nothing(
    space: SpaceDefinition, embedded: list[int]
) -> None:
    for number in range(40):
        Product.objects.create(photo=upload(number / 40))
    item = Item.objects.create()
    for number in range(5):
        ItemPhoto.objects.create(item=item, image=upload(number / 5))
    gallery = space_by_label("testapp.itemphoto.embedding")
    assert gallery is not None
    call_command("imgrec_index", "--inline", stdout=StringIO())
    tables = [
        model._meta.db_table
        for each in (space, gallery)
        for model in (each.embedding_model, each.list_model)
    ]
    before = written()
    del embedded[:]
    out = StringIO()
    for label in (space.label, gallery.label):
        call_command("imgrec_index", label, "--all", "--inline", stdout=out)
    assert "40 done, 0 failed" in out.getvalue()
    assert embedded == []
    after = written()
    assert before[tables[0]] >= 40, "it counts"
    assert {table: after[table] - before[table] for table in tables} == dict.fromkeys(tables, 0)
