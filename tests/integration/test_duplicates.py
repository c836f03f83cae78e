"""The same photo on several products: found, decided about once, and remembered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from imgrec import chores, indexing, tasks
from imgrec.duplicates import deciding, finding, hashing, limits, running
from imgrec.duplicates.limits import Limits
from imgrec.models import DuplicateLimits, DuplicatePair, PhotoHash, Space
from imgrec.signals import duplicates_decided
from imgrec.spaces import SpaceDefinition
from tests.integration.admin_pages import client_of, text_of, the_space
from tests.testapp.models import Item, ItemPhoto, Product
from tests.unit.test_hashes import noise

pytestmark = pytest.mark.django_db
DESK = "/admin/imgrec/duplicatepair/"
LABEL = "testapp.product.embedding"
NEAR = Limits(0.98, 4, 0.95, 8)


def file_of(made: Image.Image, *, quality: int = 95) -> ContentFile[bytes]:
    out = BytesIO()
    made.save(out, "JPEG", quality=quality)
    return ContentFile(out.getvalue(), name="photo.jpg")


@pytest.fixture
def space() -> SpaceDefinition:
    return the_space()


@pytest.fixture
def products() -> list[Product]:
    """Six of their own; "Copy" and "Small" show the first one's photo, "Twin" the second one's."""
    photos = {f"Own {n}": file_of(noise(n)) for n in range(6)}
    photos |= {
        "Copy": file_of(noise(0), quality=40),
        "Small": file_of(noise(0).resize((120, 160))),
        "Twin": file_of(noise(1), quality=50),
    }
    made = [Product.objects.create(title=title, photo=photo) for title, photo in photos.items()]
    indexing.work()
    return made


@pytest.fixture
def found(space: SpaceDefinition, products: list[Product]) -> list[list[str]]:
    """The clusters, by title."""
    hashing.hash_all(space)
    finding.find(space, NEAR)
    return titles(space)


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """What the shop's receiver was told."""
    heard: list[Any] = []

    def listen(sender: Any, products: list[Any], decision: str, **kwargs: Any) -> None:
        heard.append((sender, sorted(str(each) for each in products), decision, kwargs["by"]))
        if decision == "merge":
            raise RuntimeError("Stock differs.")

    duplicates_decided.connect(listen)
    yield heard
    duplicates_decided.disconnect(listen)


def titles(space: SpaceDefinition) -> list[list[str]]:
    names = {str(each.pk): each.title for each in Product.objects.all()}
    clusters = deciding.clusters(space)
    return sorted(sorted(names[key] for key in each.items) for each in clusters)


def keys(*named: str) -> list[str]:
    return [str(Product.objects.get(title=title).pk) for title in named]


def test_copies_form_clusters(found: list[list[str]]) -> None:
    assert found == [["Copy", "Own 0", "Small"], ["Own 1", "Twin"]]


def test_what_is_hashed_is_not_read_again(
    space: SpaceDefinition, products: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "ROWS_AT_ONCE", 2)
    done: list[int] = []
    assert not hashing.hash_all(space, done.append, until=0)
    assert hashing.hash_all(space, done.append)
    assert done == [2, 4, 6, 8, 9]
    assert hashing.hash_all(space, done.append)
    assert done[-1] == 9
    products[3].photo = file_of(noise(30))
    products[3].save()
    indexing.work()
    before = PhotoHash.objects.get(object_pk=products[3].pk).hashes
    assert hashing.hash_all(space, done.append)
    assert done[-1] == 1
    assert PhotoHash.objects.get(object_pk=products[3].pk).hashes != before


def test_photos_that_are_gone_are_forgotten(
    space: SpaceDefinition, found: list[list[str]], products: list[Product]
) -> None:
    products[-1].delete()
    indexing.work()
    hashing.hash_all(space)
    assert PhotoHash.objects.count() == 8
    finding.find(space, NEAR)
    assert titles(space) == [["Copy", "Own 0", "Small"]]


def test_a_file_that_cannot_be_read_is_tried_once(
    space: SpaceDefinition, products: list[Product]
) -> None:
    products[2].photo.storage.delete(products[2].photo.name)
    hashing.hash_all(space)
    assert PhotoHash.objects.get(object_pk=products[2].pk).hashes == []
    assert not hashing.missing(space).exists()


@pytest.mark.parametrize("decision", ["merge", "variant", "different"])
def test_a_decision_is_remembered(
    space: SpaceDefinition, found: list[list[str]], decision: str
) -> None:
    deciding.decide(space, keys("Own 1", "Twin"), decision, by="ann")
    assert titles(space) == [["Copy", "Own 0", "Small"]]
    assert finding.find(space, NEAR) == 3
    assert titles(space) == [["Copy", "Own 0", "Small"]]
    row = DuplicatePair.objects.exclude(decision="").get()
    assert (row.decision, row.decided_by) == (decision, "ann")
    assert row.similarity is not None


def test_a_decision_about_some_leaves_the_others(
    space: SpaceDefinition, found: list[list[str]]
) -> None:
    assert deciding.decide(space, keys("Own 0", "Copy"), "different") == 1
    assert ["Copy", "Own 0", "Small"] in titles(space)  # each of them still with "Small"
    assert deciding.decide(space, keys("Own 0", "Copy", "Small"), "variant") == 3
    assert titles(space) == [["Own 1", "Twin"]]


def test_asking_again(space: SpaceDefinition, found: list[list[str]]) -> None:
    deciding.decide(space, keys("Own 1", "Twin"), "merge")
    row = DuplicatePair.objects.exclude(decision="").get()
    assert deciding.reopen(space, [row.pk]) == 1
    assert titles(space) == found


@pytest.mark.parametrize(
    ("named", "decision"), [(["Own 1"], "merge"), (["Own 1", "Twin"], "perhaps")]
)
def test_what_cannot_be_decided(
    space: SpaceDefinition, found: list[list[str]], named: list[str], decision: str
) -> None:
    with pytest.raises(ValueError, match="decision"):
        deciding.decide(space, keys(*named), decision)


def test_the_shop_is_told_and_may_refuse(
    space: SpaceDefinition, found: list[list[str]], told: list[Any]
) -> None:
    deciding.decide(space, keys("Own 1", "Twin"), "variant", by="ann")
    assert told == [(Product, ["Own 1", "Twin"], "variant", "ann")]
    body = text_of(
        client_of("change_duplicatepair").post(
            f"{DESK}decide/?space={LABEL}",
            {"item": keys("Own 0", "Copy"), "decision": "merge"},
            follow=True,
        )
    )
    assert "Stock differs." in body
    assert not DuplicatePair.objects.filter(decision="merge").exists()


def test_products_of_many_photos() -> None:
    space = the_space("testapp.itemphoto.embedding")
    items = [Item.objects.create(title=str(n)) for n in range(3)]
    for number, item in enumerate(items):
        ItemPhoto.objects.create(item=item, image=file_of(noise(number)))
        ItemPhoto.objects.create(item=item, image=file_of(noise(10 + min(number, 1))))
    indexing.work()
    hashing.hash_all(space)
    finding.find(space, NEAR)
    (cluster,) = deciding.clusters(space)
    assert sorted(cluster.items) == sorted(str(each.pk) for each in items[1:])


def test_limits_come_from_the_shops_own_photos(
    space: SpaceDefinition, products: list[Product]
) -> None:
    hashing.hash_all(space)
    near = limits.calibrate(space)
    assert limits.stored(space) == near
    row = DuplicateLimits.objects.get()
    assert row.photos == 9
    assert row.found["recompressed"] == row.found["resized"] == 1.0
    finding.find(space, near)
    assert ["Copy", "Own 0", "Small"] in titles(space)


def test_the_command_goes_all_the_way(products: list[Product]) -> None:
    out = StringIO()
    call_command("imgrec_duplicates", LABEL, stdout=out)
    assert "2 clusters wait for a decision" in out.getvalue()
    assert "100% recompressed, 100% resized" in out.getvalue()


def test_lists_of_an_older_encoder_are_not_compared(
    space: SpaceDefinition, found: list[list[str]]
) -> None:
    Space.objects.filter(label=LABEL).update(served_version="older")
    with pytest.raises(ValueError, match="older"):
        finding.find(space, NEAR)
    assert titles(space) == found


def test_too_few_photos_are_said(space: SpaceDefinition) -> None:
    Product.objects.create(photo=file_of(noise(1)))
    indexing.work()
    with pytest.raises(CommandError, match="5 photos"):
        call_command("imgrec_duplicates", LABEL, stdout=StringIO())


def test_the_task_goes_on_until_all_is_compared(
    space: SpaceDefinition, products: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks, "_send", sent.append)
    monkeypatch.setattr(chores, "SECONDS", -1)
    tasks.find_duplicates()
    assert sent == ["imgrec.find_duplicates"]
    monkeypatch.setattr(chores, "SECONDS", 20)
    tasks.find_duplicates()
    assert len(sent) == 1
    assert running.progress(space).is_whole
    assert len(titles(space)) == 2


def test_the_desk_shows_and_decides(found: list[list[str]]) -> None:
    merchant = client_of("change_duplicatepair")
    body = text_of(merchant.get(DESK))
    assert body.count('<form class="imgrec-cluster"') == 2
    assert "9 photos are compared." in body
    for title in ("Copy", "Own 0", "Small", "Twin"):
        assert title in body
    form = {"item": keys("Own 1", "Twin"), "decision": "different"}
    body = text_of(merchant.post(f"{DESK}decide/?space={LABEL}", form, follow=True))
    assert "Remembered: not a duplicate." in body
    assert body.count('<form class="imgrec-cluster"') == 1
    body = text_of(merchant.get(f"{DESK}?space={LABEL}&show=decided"))
    again = re.search(r'name="again" value="(\d+)"', body)
    assert again
    assert "user 0" in body
    merchant.post(f"{DESK}decide/?space={LABEL}", {"again": again.group(1)})
    assert not DuplicatePair.objects.exclude(decision="").exists()


def test_the_desk_has_pages(
    space: SpaceDefinition, found: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgrec.admin.desk.CLUSTERS_A_PAGE", 1)
    body = text_of(client_of("view_duplicatepair").get(f"{DESK}?page=2"))
    assert "Page 2 of 2" in body
    assert body.count('<form class="imgrec-cluster"') == 1


def test_a_product_that_is_gone_leaves_no_pair_to_show(
    found: list[list[str]], products: list[Product]
) -> None:
    products[-1].delete()
    body = text_of(client_of("view_duplicatepair").get(DESK))
    assert body.count('<form class="imgrec-cluster"') == 1


def test_who_may_do_what(found: list[list[str]]) -> None:
    form = {"item": keys("Own 1", "Twin"), "decision": "merge"}
    viewer = client_of("view_duplicatepair")
    assert "Same product" not in text_of(viewer.get(DESK))
    for client in (viewer, client_of("view_product", "change_product")):
        assert client.post(f"{DESK}decide/?space={LABEL}", form).status_code == 403
        assert client.post(f"{DESK}find/?space={LABEL}").status_code == 403
    assert client_of("view_product").get(DESK).status_code == 403
    assert client_of("change_duplicatepair", staff=False).get(DESK).status_code == 302
    assert Client().get(DESK).status_code == 302
    assert not DuplicatePair.objects.exclude(decision="").exists()
    strict = client_of("change_duplicatepair", csrf=True)
    assert strict.post(f"{DESK}decide/?space={LABEL}", form).status_code == 403
    assert client_of("change_duplicatepair").get(f"{DESK}decide/").status_code == 405


def test_workers_are_asked(found: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    poked: list[str] = []
    monkeypatch.setattr("imgrec.admin.duplicate_admin.poke", poked.append)
    body = text_of(
        client_of("change_duplicatepair").post(f"{DESK}find/?space={LABEL}", follow=True)
    )
    assert "Workers are looking for duplicates" in body
    assert poked == ["imgrec.find_duplicates"]
