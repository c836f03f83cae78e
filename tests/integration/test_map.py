"""The map of the catalogue: made, shown, stopped, and who may see it."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from PIL import Image

from imgrec import neighbours, tasks
from imgrec.catalogue_map import layout, making
from imgrec.catalogue_map.layout import MapUnavailable
from imgrec.map_models import CatalogueMap, MapTile
from tests.integration.admin_pages import client_of, make_products, page, text_of, the_space
from tests.synthetic import fill
from tests.testapp.models import Item, Product

pytest.importorskip("openTSNE", reason='takes the extra: pip install "imgrec[map]"')
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def viewer() -> Client:
    return client_of("view_product")


def made() -> CatalogueMap:
    """Return the map that is shown, whole."""
    found = making.finished(the_space())
    assert found is not None
    return CatalogueMap.objects.get(pk=found.pk)


def many(count: int = 120, clusters: int = 4) -> Any:
    """Store products with made-up vectors and lists; return their vectors."""
    products = Product.objects.bulk_create(
        Product(title=f"P{n}", photo=f"{n}.png") for n in range(count)
    )
    vectors = fill(the_space(), products, clusters=clusters)
    neighbours.rebuild(the_space())
    return vectors


def cells_of(found: CatalogueMap) -> Any:
    count = len(found.points) // 5
    packed = np.frombuffer(bytes(found.points[: 4 * count]), "<u2")
    return packed.reshape(2, count).T.astype(int)


def test_alike_products_are_near_each_other() -> None:
    vectors = many()
    call_command("imgrec_map", "testapp.product", threads=1)
    keys = sorted(Product.objects.values_list("pk", flat=True))
    cells = cells_of(made())
    assert len({tuple(cell) for cell in cells.tolist()}) == len(keys)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -1)
    away = np.hypot(*(cells[:, None, :] - cells[None, :, :]).transpose(2, 0, 1))
    nearest = np.take_along_axis(away, np.argsort(-alike, axis=1)[:, :5], axis=1).mean()
    assert nearest < 0.5 * away.mean()


def test_a_worker_makes_what_was_asked_for(viewer: Client) -> None:
    products = make_products(5)
    merchant = client_of("view_product", "change_product")
    assert "There is no map of this space yet." in text_of(viewer.get(page("map")))
    body = text_of(merchant.post(page("map_make"), {"make": "1"}, follow=True))
    assert "A worker will make the map." in body
    assert "Waits for a worker" in body
    tasks.make_maps()
    body = text_of(viewer.get(page("map")))
    assert "5 products (" in body
    assert "Make the map" not in body
    told = viewer.get(page("map_data", map=str(made().pk))).json()
    assert len(base64.b64decode(told["points"])) == 5 * len(products)


def test_tiles_tell_titles_addresses_and_show_the_photos(viewer: Client) -> None:
    products = make_products(3)
    call_command("imgrec_map", "testapp.product", threads=1)
    gone = products.pop()
    key = gone.pk
    gone.delete()
    asked = {"map": str(made().pk), "column": "0", "row": "0"}
    told = viewer.get(page("map_tile", **asked)).json()["items"]
    assert {title for _place, title, _url, _photo in told} == {each.title for each in products}
    assert f"/admin/testapp/product/{key}/change/" not in str(told)
    assert all(url.endswith("/change/") and photo for _place, _title, url, photo in told)
    answer = viewer.get(page("map_sheet", **asked))
    assert (answer["Content-Type"], "immutable" in answer["Cache-Control"]) == ("image/webp", True)
    sheet = Image.open(io.BytesIO(answer.content)).convert("RGB")
    for place, title, _url, _photo in told:
        product = next(each for each in products if each.title == title)
        with Image.open(product.photo.path) as photo:
            expected = np.asarray(photo.convert("RGB"), float).mean(axis=(0, 1))
        left, top = place % 16 * 32, place // 16 * 32
        small = np.asarray(sheet.crop((left, top, left + 32, top + 32)), float)
        assert np.abs(small.mean(axis=(0, 1)) - expected).max() < 25


def test_products_with_many_photos_and_none(viewer: Client) -> None:
    Item.objects.create(title="none")
    with pytest.raises(CommandError, match="no product has a list"):
        call_command("imgrec_map", "testapp.itemphoto.embedding", threads=1)
    assert not CatalogueMap.objects.exists()


def test_the_map_before_stays_until_the_next_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    make_products(4)
    call_command("imgrec_map", "testapp.product", threads=1)
    first = made()
    making.ask(the_space())
    monkeypatch.setattr(layout, "read_lists", lambda *_: 1 / 0)
    tasks.make_maps()
    assert made() == first
    failed = making.unfinished(the_space())
    assert failed is not None
    assert failed.message == "division by zero"
    assert not making.waiting()
    monkeypatch.undo()
    making.ask(the_space())
    tasks.make_maps()
    assert made() != first
    assert CatalogueMap.objects.count() == 1
    assert set(MapTile.objects.values_list("map", flat=True)) == {made().pk}


def test_stopped_at_the_next_step() -> None:
    many(60)
    row = making.ask(the_space())
    seen = []

    def stop(stage: str, done: int, total: int) -> None:
        seen.append((stage, done))
        if done >= 100:
            making.stop(the_space())

    with pytest.raises(making.Stopped):
        making.make(the_space(), row, watch=stop)
    assert seen[-1][1] <= 110, "it went on"
    assert not CatalogueMap.objects.exists()


def test_one_at_a_time_and_never_for_ever() -> None:
    make_products(3)
    row = making.ask(the_space())
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('imgrec.map'), hashtext(%s))", [row.space])
        with pytest.raises(making.Stopped, match="another process"):
            making.make(the_space(), row)
    other.close()
    row.attempts = making.ATTEMPTS
    with pytest.raises(MapUnavailable, match="broken off 3 times"):
        making.make(the_space(), row)


def test_the_sweep_has_a_map_begun_again_that_a_worker_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks, "_send", lambda name, **_: sent.append(name))
    tasks.sweep_all()
    assert "imgrec.make_maps" not in sent
    making.ask(the_space())
    tasks.sweep_all()
    assert "imgrec.make_maps" in sent
    making._move(the_space(), CatalogueMap.objects.get(), "layout", 0, 1)
    assert not making.waiting(), "a worker is at it"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE imgrec_cataloguemap SET moved_at = now() - interval '1 hour'")
    assert making.waiting()


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    make_products(2)
    monkeypatch.setitem(__import__("sys").modules, "openTSNE", None)
    with pytest.raises(CommandError, match=r'pip install "imgrec\[map\]"'):
        call_command("imgrec_map", "testapp.product", threads=1)


def test_more_products_than_are_arranged(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = many(120)
    monkeypatch.setattr(layout, "MOST", 60)
    call_command("imgrec_map", "testapp.product", threads=1)
    assert len(cells_of(made())) == len(vectors)


def test_a_shop_colours_by_what_it_likes(viewer: Client) -> None:
    many(60, clusters=2)
    keys = list(Product.objects.order_by("pk").values_list("pk", flat=True))
    parent = Product.objects.create(title="Family")
    Product.objects.filter(pk__in=keys[:40]).update(parent=parent)
    call_command("imgrec_map", "testapp.product", category="parent", threads=1)
    assert made().categories == ["Family"]
    assert "Misfits" in text_of(viewer.get(page("map")))
    with pytest.raises(CommandError, match="Cannot resolve keyword"):
        call_command("imgrec_map", "testapp.product", category="nonsense", threads=1)


@pytest.mark.parametrize("name", ["map", "map_data", "map_tile", "map_sheet", "map_progress"])
def test_who_may_look(name: str) -> None:
    make_products(2)
    call_command("imgrec_map", "testapp.product", threads=1)
    asked = {"map": str(made().pk), "column": "0", "row": "0"}
    expected = {("view_product",): 200, (): 403}
    for permissions, status in expected.items():
        assert client_of(*permissions).get(page(name, **asked)).status_code == status
    assert client_of("view_product").post(page(name, **asked)).status_code == 405
    assert Client().get(page(name, **asked)).status_code == 302
    assert client_of("view_product", staff=False).get(page(name, **asked)).status_code == 302


def test_who_may_have_one_made() -> None:
    for client in (client_of("view_product"), client_of("change_product", csrf=True)):
        assert client.post(page("map_make")).status_code == 403
    assert client_of("change_product").get(page("map_make")).status_code == 405
    assert not CatalogueMap.objects.exists()
    client = client_of("view_product", "change_product")
    assert client.post(page("map_make"), {"category": "password"}).status_code == 302
    assert CatalogueMap.objects.get().category == ""
    assert client.get(page("map_progress")).json()["busy"]
    client.post(page("map_make"), {"stop": "1"})
    assert not CatalogueMap.objects.exists()
    assert not client.get(page("map_progress")).json()["busy"]


@pytest.mark.parametrize("asked", [{}, {"map": "x"}, {"map": "9" * 30}, {"map": "1"}])
def test_what_is_not_there_is_not_found(viewer: Client, asked: dict[str, str]) -> None:
    for name in ("map_data", "map_tile", "map_sheet"):
        assert viewer.get(page(name, **asked, column="0", row="0")).status_code == 404
        assert viewer.get(page(name, **asked, column="-1", row="x")).status_code == 404
