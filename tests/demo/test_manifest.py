"""Products from a CSV: every column but ``file`` may be missing, nothing outside is read."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from demo_shop.seeding.items import Item
from demo_shop.seeding.manifest import ManifestError, items_of_manifest
from demo_shop.seeding.sources import items_from


def write(folder: Path, *lines: str) -> Path:
    path = folder / "manifest.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(folder: Path, *lines: str) -> list[Item]:
    return list(items_of_manifest(write(folder, *lines)))


def test_a_full_row(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"bytes of a")
    header = "file,title,category,sku,price,stock,description,width"
    [item] = read(tmp_path, header, 'a.jpg,Red hat,t-shirt,H-1,19.5,3,"Warm, red",240')
    assert (item.title, item.category, item.sku) == ("Red hat", "T-shirt", "H-1")
    assert (item.price_or_derived, item.stock_or_derived) == (Decimal("19.50"), 3)
    assert item.description == "Warm, red"
    assert item.photo() == b"bytes of a"


def test_what_is_missing_is_derived_and_always_the_same(tmp_path: Path) -> None:
    lines = ("file,price", "Bags/tote_no-1.jpg,", "files/b.jpg,cheap", "c.png,-3")
    items = read(tmp_path, *lines)
    assert [item.title for item in items] == ["Tote no 1", "B", "C"]
    assert [item.category for item in items] == ["Bags", "Photos", "Photos"]
    assert [item.sku for item in items] == ["BAGS-TOTE-NO-1.JPG", "FILES-B.JPG", "C.PNG"]
    assert all(8 < item.price_or_derived < 140 for item in items)
    again = read(tmp_path, *lines)
    assert [i.price_or_derived for i in items] == [i.price_or_derived for i in again]
    assert [i.stock_or_derived for i in items] == [i.stock_or_derived for i in again]


def test_a_text_editors_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufefffile,title", "a.jpg,A hat")
    assert [item.title for item in items_of_manifest(path)] == ["A hat"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("photo,title", "a.jpg,A"), "a column named 'file'"),
        (("file", "../secrets.txt"), "line 2: '../secrets.txt' is no path below"),
        (("file", "/etc/passwd"), "line 2"),
        (("file,title", ",A"), "line 2"),
        (("file,sku", "a.jpg,S", "b.jpg,S"), "line 3: SKU 'S' again"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(
    tmp_path: Path, lines: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ManifestError, match=r"manifest\.csv") as error:
        read(tmp_path, *lines)
    assert told in str(error.value)


def test_a_folder_with_a_manifest_is_read_by_it(tmp_path: Path) -> None:
    write(tmp_path, "file", "one.jpg")
    (tmp_path / "LICENSE.txt").touch()
    assert [item.photo_name for item in items_from(tmp_path)] == ["one.jpg"]


def test_the_catalogue_the_figures_are_measured_on(shared_data: Path) -> None:
    items = items_from(shared_data / "catalog" / "manifest.csv")
    assert len(items) == len({item.sku for item in items}) == 875
    sold_out = sum(item.stock_or_derived == 0 for item in items)
    assert 20 < sold_out < 80


def test_every_awkward_file_becomes_a_product(shared_data: Path) -> None:
    folder = shared_data / "awkward" / "files"
    files = {path.name for path in folder.iterdir()}
    assert {item.photo_name for item in items_from(folder)} == files
    assert {item.photo_name for item in items_from(folder.parent)} == files
