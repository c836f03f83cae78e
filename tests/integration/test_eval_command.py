"""``imgrec_eval``, as somebody types it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.utils import translation
from PIL.Image import Image

from imgrec.errors import WeightsUnavailable
from imgrec.models import Space
from imgrec.spaces import space_by_label
from imgrec.testing import ColourGrid
from tests.pictures import picture, png, upload
from tests.testapp.models import Item, ItemPhoto, Product, TwoSpaces

pytestmark = pytest.mark.django_db
LABEL = "testapp.product.embedding"
ITEMS = "testapp.itemphoto.embedding"
FINE, COARSE = "testapp.twospaces.fine", "testapp.twospaces.coarse"


@pytest.fixture
def shop() -> list[Product]:
    """Red, green and blue products, four of each, and a lonely violet one."""
    hues = {"red": 0.0, "green": 0.33, "blue": 0.6}
    made = [
        Product.objects.create(title=name, photo=upload(hue + i / 100, shade=i / 40))
        for name, hue in hues.items()
        for i in range(4)
    ]
    made.append(Product.objects.create(title="violet", photo=upload(0.8)))
    call_command("imgrec_index", LABEL, "--inline", stdout=StringIO())
    return made


def run(*args: str) -> str:
    out = StringIO()
    call_command("imgrec_eval", *args, stdout=out, stderr=out)
    return out.getvalue()


def told(*args: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*args, "--json"))
    return found


def test_figures_by_label(shop: list[Product]) -> None:
    (found,) = told(LABEL, "--label", "title", "-k", "3")["spaces"]
    assert (found["products"], found["asked"]) == (13, 13)
    assert found["judged"] == {
        "label": "title",
        "judged": 12,  # the violet one is alone
        "map": 1.0,
        "precision": 1.0,
        "recall_at_1": 1.0,
    }
    assert [each["name"] for each in found["worst_labels"]] == ["blue", "green", "red"]


def test_figures_without_a_label(shop: list[Product]) -> None:
    (found,) = told(LABEL, "-k", "3", "--copies", "5")["spaces"]
    assert found["judged"] is None
    assert found["hubness"]["hubs"] == 0
    assert found["hubness"]["nobody"] == pytest.approx(1 / 13)  # the violet one again
    assert found["copies"] == {
        "photos": 5,
        "unreadable": 0,
        "recall_at_1": {
            "flipped": 1.0,
            "cropped": found["copies"]["recall_at_1"]["cropped"],
            "recompressed": found["copies"]["recall_at_1"]["recompressed"],
        },
    }


def test_the_table_says_the_same(shop: list[Product]) -> None:
    text = run(LABEL, "--label", "title", "-k", "3")
    assert "13 products, 13 asked, lists of 3" in text
    for line in ("mAP@3                   1.000", "flipped recall@1        1.000", "hubs  "):
        assert line in text


def test_hidden_products_neither_ask_nor_are_shown(shop: list[Product]) -> None:
    Product.objects.filter(pk=shop[0].pk).update(published=False)
    Product.objects.filter(pk=shop[1].pk).update(stock=0)  # asks, but is in no list
    (found,) = told(LABEL, "--label", "title", "-k", "3", "--copies", "0")["spaces"]
    assert found["asked"] == 12
    assert found["judged"]["map"] == 1.0  # two others that may be shown are all there could be
    assert found["judged"]["precision"] < 1.0


def test_a_sample_says_nothing_of_nobody(shop: list[Product]) -> None:
    found = told(LABEL, "--queries", "6", "--copies", "0")["spaces"][0]
    assert (found["asked"], found["hubness"]) == (6, None)
    assert "--queries 0 asks every product" in run(LABEL, "--queries", "6", "--copies", "0")
    assert told(LABEL, "--queries", "0", "--copies", "0")["spaces"][0]["asked"] == 13


def test_a_label_over_a_foreign_key(shop: list[Product]) -> None:
    parent = Product.objects.create(title="family")
    Product.objects.filter(title__in=["red", "green"]).update(parent=parent)
    (found,) = told(LABEL, "--label", "parent__title", "--copies", "0")["spaces"]
    assert found["judged"]["judged"] == 8


@pytest.mark.parametrize("path", ["category", "tags", "title__name", "variants"])
def test_a_label_that_is_no_column(shop: list[Product], path: str) -> None:
    with pytest.raises(CommandError, match=r"--label .*is no column of testapp\.Product"):
        run(LABEL, "--label", path)


def test_photos_of_the_same_product() -> None:
    items = [Item.objects.create(title=str(i)) for i in range(4)]
    for i, item in enumerate(items):
        for j in range(2):
            ItemPhoto.objects.create(item=item, image=upload(i / 4, shade=j / 50))
    call_command("imgrec_index", ITEMS, "--inline", stdout=StringIO())
    (found,) = told(ITEMS)["spaces"]
    assert found["own_photos"] == {"photos": 8, "recall_at_1": 1.0, "k": 10, "recall": 1.0}
    assert found["copies"]["photos"] == 4
    assert "own photos recall@1     1.000" in run(ITEMS)


def test_photos_that_went_are_counted(shop: list[Product]) -> None:
    file = shop[0].photo
    assert file.name
    file.storage.delete(file.name)
    found = told(LABEL)["spaces"][0]["copies"]
    assert (found["photos"], found["unreadable"]) == (12, 1)


def test_without_weights_the_rest_is_measured(
    shop: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(self: ColourGrid, pictures: Sequence[Image]) -> Any:
        raise WeightsUnavailable("Download them to /srv/weights.")

    monkeypatch.setattr(ColourGrid, "embed", none)
    (found,) = told(LABEL)["spaces"]
    assert found["copies"] is None
    assert found["no_copies"] == "Download them to /srv/weights."
    assert found["hubness"] is not None
    assert "not measured: Download them" in run(LABEL)


def test_vectors_of_another_version_are_not_compared(shop: list[Product]) -> None:
    space = space_by_label(LABEL)
    assert space is not None
    space.embedding_model.objects.update(version="old")
    Space.objects.filter(label=LABEL).update(served_version="old")
    assert "are of old" in told(LABEL)["spaces"][0]["no_copies"]


def test_nothing_yet() -> None:
    assert "no vectors yet" in run(LABEL)
    assert told(LABEL)["spaces"][0]["asked"] == 0


@pytest.fixture
def two() -> list[TwoSpaces]:
    """Products in two spaces; one has a vector in the first only."""
    made = [TwoSpaces.objects.create(photo=_striped(i / 12, i * i / 7)) for i in range(12)]
    call_command("imgrec_index", "testapp.TwoSpaces", "--inline", stdout=StringIO())
    space = space_by_label(COARSE)
    assert space is not None
    space.embedding_model.objects.filter(owner=made[3]).delete()
    return made


def _striped(hue: float, stripe: float) -> ContentFile[bytes]:
    """Return a file with two stripes of opposite hues: together a grey to the coarse encoder."""
    made = picture(hue)
    for i in range(2):
        made.paste(picture(stripe + i / 2).crop((0, 0, 16, 4)), (0, 8 + 4 * i))
    return ContentFile(png(made), name="photo.png")


def test_agreement_of_two_spaces(two: list[TwoSpaces]) -> None:
    found = told(FINE, "--against", COARSE, "-k", "4")
    assert [each["asked"] for each in found["spaces"]] == [11, 11]
    assert found["agreement"]["asked"] == 11
    assert 0.1 < found["agreement"]["overlap"] < 1
    assert "overlap@4" in run(FINE, "--against", COARSE, "-k", "4")
    assert told(FINE, "--against", FINE)["agreement"]["overlap"] == 1.0


def test_spaces_of_other_products_do_not_compare(shop: list[Product]) -> None:
    with pytest.raises(CommandError, match="same products"):
        run(FINE, "--against", LABEL)
    with pytest.raises(CommandError, match=r"Name one of .*twospaces\.coarse"):
        run("testapp.TwoSpaces", "--html", "/nowhere.html")


@pytest.mark.parametrize("wrong", [["-k", "0"], ["--queries", "-1"], ["--copies", "-1"]])
def test_numbers_that_cannot_be(wrong: list[str]) -> None:
    with pytest.raises(CommandError, match="or more"):
        run(LABEL, *wrong)


def test_the_page_shows_the_worst_first(shop: list[Product], tmp_path: Path) -> None:
    Product.objects.filter(pk=shop[0].pk).update(title="<b>red</b>")
    Product.objects.filter(pk=shop[1].pk).update(title="green")  # and looks red
    page = tmp_path / "lists.html"
    text = run(LABEL, "--label", "title", "-k", "3", "--html", str(page), "--worst", "4")
    html = page.read_text()
    assert str(page) in text
    assert html.count("<article") == 4
    assert "&lt;b&gt;red&lt;/b&gt;" in html
    assert "<b>red" not in html
    assert html.count("data:image/webp;base64,") == html.count("<img")
    assert "http" not in html.replace("http-equiv", "")
    assert html.index('class="wrong"') < html.index('id="list-2"')


def test_the_page_of_two_spaces(two: list[TwoSpaces], tmp_path: Path) -> None:
    page = tmp_path / "both.html"
    run(FINE, "--against", COARSE, "-k", "4", "--html", str(page))
    html = page.read_text()
    assert html.count("<section") == 22
    assert "only here" in html
    shared = [int(found) for found in re.findall(r"(\d) of 4 shared", html)]
    assert len(shared) == 11
    assert shared == sorted(shared)


def test_a_page_without_photos(shop: list[Product], tmp_path: Path) -> None:
    for product in shop:
        assert product.photo.name
        product.photo.storage.delete(product.photo.name)
    page = tmp_path / "lists.html"
    with translation.override("ar"):
        run(LABEL, "--copies", "0", "--html", str(page))
    html = page.read_text()
    assert '<html lang="ar" dir="rtl">' in html
    assert "<img" not in html
    assert html.count('class="photo"') > 13
