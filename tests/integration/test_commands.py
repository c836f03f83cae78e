"""``imgrec_index`` and ``imgrec_doctor``, as somebody types them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from PIL.Image import Image

from imgrec import doctor
from imgrec.errors import WeightsUnavailable
from imgrec.models import EmbeddingJob, Rule, Space
from imgrec.spaces import all_spaces
from imgrec.testing import ColourGrid
from tests.pictures import upload
from tests.testapp.models import Product
from tests.worker import Worker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_index")]
LABEL = "testapp.product.embedding"


def make(count: int) -> None:
    for i in range(count):
        Product.objects.create(photo=upload(i / count))


def index(*args: str) -> str:
    out = StringIO()
    call_command("imgrec_index", *args, stdout=out)
    return out.getvalue()


def examined(label: str = LABEL) -> dict[str, Any]:
    found: dict[str, Any] = next(s for s in doctor.examine()["spaces"] if s["label"] == label)
    return found


def test_index_embeds_what_the_shop_already_had() -> None:
    make(5)
    EmbeddingJob.objects.all().delete()
    assert f"{LABEL}: 5 done, 0 failed" in index("testapp.Product", "--inline")
    assert examined()["states"]["ready"] == 5


def test_index_again_does_nothing() -> None:
    make(3)
    index("--inline")
    assert f"{LABEL}: 0 done, 0 failed" in index("--inline")


def test_index_all_takes_every_photo_again() -> None:
    make(3)
    index("--inline")
    assert f"{LABEL}: 3 done, 0 failed" in index(LABEL, "--all", "--inline")


def test_index_ends_with_an_error_when_photos_failed() -> None:
    product = Product.objects.create(photo=ContentFile(b"?", name="broken.jpg"))
    with pytest.raises(CommandError, match=r"1 photo\(s\) failed.*imgrec_doctor"):
        index("--inline")
    with product.photo.storage.open(str(product.photo.name), "wb") as file:
        file.write(upload(0.5).read())
    assert f"{LABEL}: 1 done, 0 failed" in index("--failed", "--inline")


def test_index_of_an_unknown_model_lists_the_known_ones() -> None:
    with pytest.raises(CommandError, match=r"testapp\.product\.embedding"):
        index("shop.Nothing")


def test_index_without_weights_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(self: ColourGrid, pictures: Sequence[Image]) -> Any:
        raise WeightsUnavailable("Download them to /srv/weights.")

    make(2)
    monkeypatch.setattr(ColourGrid, "embed", none)
    with pytest.raises(CommandError, match="weights_unavailable: Download them"):
        index("--inline")
    assert examined()["waiting_because"] == {"weights_unavailable": 2}


@pytest.mark.django_db(transaction=True)
def test_index_waits_for_a_worker(celery_worker: Worker) -> None:
    make(8)
    assert f"{LABEL}: " in index("testapp.Product")
    assert examined()["states"]["ready"] == 8
    assert LABEL in celery_worker.log() or celery_worker.is_running()


def test_doctor_counts_every_row_in_one_state() -> None:
    make(4)
    Product.objects.create()
    Product.objects.create(photo=ContentFile(b"?", name="broken.jpg"))
    with pytest.raises(CommandError):
        index("--inline")
    Product.objects.bulk_create([Product(photo="later.png")])
    Product.objects.filter(pk=Product.objects.earliest("pk").pk).update(photo="renamed.png")
    make(1)
    found = examined()
    assert found["states"] == {
        "no_photo": 1,
        "excluded": 0,
        "failed": 1,
        "leased": 0,
        "queued": 1,
        "missing": 1,
        "stale": 1,
        "ready": 3,
    }
    assert sum(found["states"].values()) == found["rows"] == Product.objects.count()
    assert found["failed"] == {"not_an_image": 1}
    assert found["index"] == "valid"


def test_doctor_is_content_with_a_healthy_shop() -> None:
    make(2)
    index("--inline")
    # The demo shop's encoders need weights, which not every machine has.
    Space.objects.filter(item_model="shop.product").update(is_active=False)
    out = StringIO()
    call_command("imgrec_doctor", stdout=out)
    assert "All well." in out.getvalue()


def test_doctor_json_is_one_object_and_problems_end_in_an_error() -> None:
    make(2)
    out = StringIO()
    with pytest.raises(CommandError, match="no worker consumes the queue 'imgrec'"):
        call_command("imgrec_doctor", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert {space["label"] for space in found["spaces"]} == {s.label for s in all_spaces()}
    assert found["queue_consumed"] is False


@pytest.mark.django_db(transaction=True)
def test_doctor_sees_a_worker(celery_worker: Worker) -> None:
    assert doctor.consumed_queues() == {"imgrec"}


def test_doctor_sees_a_missing_and_an_invalid_index() -> None:
    space = next(s for s in all_spaces() if s.label == LABEL)
    name = next(i.name for i in space.embedding_model._meta.indexes if i.name.endswith("hnsw"))
    with connection.cursor() as cursor:
        spoil = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)"
        cursor.execute(spoil, [name])
        assert doctor.examine_space(space)["index"] == "invalid"
        cursor.execute(f"DROP INDEX {name}")
    assert doctor.examine_space(space)["index"] == "missing"
    assert any("missing" in each for each in doctor.examine_space(space)["problems"])


def test_rows_of_removed_fields_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    from imgrec import space_rows

    Space.objects.create(
        label="shop.product.gone", item_model="shop.product", table="shop_productgone"
    )
    EmbeddingJob.objects.create(space="shop.product.gone", object_pk="1")
    space_rows.forget_removed()
    assert not Space.objects.filter(label="shop.product.gone").exists()
    assert not EmbeddingJob.objects.filter(space="shop.product.gone").exists()


def test_rules_stay_while_their_products_have_a_field() -> None:
    from imgrec import space_rows

    for model in ("shop.gone", "testapp.product"):
        Space.objects.create(label=f"{model}.gone", item_model=model, table="nowhere")
        Rule.objects.create(item_model=model, action="block", target_value="1", beside="all")
    space_rows.forget_removed()
    assert [each.item_model for each in Rule.objects.all()] == ["testapp.product"]


def test_each_model_has_one_served_space() -> None:
    from imgrec import space_rows

    served = Space.objects.filter(item_model="testapp.twospaces", is_served=True)
    assert served.get().label == "testapp.twospaces.fine"
    space_rows.serve("testapp.twospaces.coarse")
    assert served.get().label == "testapp.twospaces.coarse"
    with pytest.raises(LookupError, match=r"testapp\.twospaces\.fine"):
        space_rows.serve("nothing")
