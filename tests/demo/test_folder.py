"""Products from a folder: every file is one, whatever it is."""

from __future__ import annotations

from pathlib import Path

from demo_shop.seeding.folder import items_of_folder


def test_subfolders_are_categories_and_any_file_counts(tmp_path: Path) -> None:
    for name in ("Summer hats/sun_hat.jpg", "broken.png", "notes.txt", ".DS_Store", ".git/x.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    items = {item.photo_name: item for item in items_of_folder(tmp_path)}
    assert set(items) == {"sun_hat.jpg", "broken.png", "notes.txt"}
    assert items["sun_hat.jpg"].category == "Summer hats"
    assert items["sun_hat.jpg"].title == "Sun hat"
    assert items["sun_hat.jpg"].sku == "SUMMER-HATS-SUN-HAT.JPG"
    assert items["broken.png"].category == "Photos"
    assert items["broken.png"].photo() == b"broken.png"


def test_equal_names_in_two_folders_are_two_products(tmp_path: Path) -> None:
    for folder in ("Hats", "Bags"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.jpg").touch()
    assert len({item.sku for item in items_of_folder(tmp_path)}) == 2
