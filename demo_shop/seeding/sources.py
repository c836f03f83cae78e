"""Which source the shop is filled from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from demo_shop.seeding.drawn.catalogue import drawn_items
from demo_shop.seeding.folder import items_of_folder
from demo_shop.seeding.items import Item
from demo_shop.seeding.manifest import items_of_manifest
from demo_shop.seeding.vendure import items_of_package

MANIFEST = "manifest.csv"


def items_from(photos: Path) -> list[Item]:
    """The products of a CSV, of a folder with a manifest.csv, or of any other folder."""
    if photos.is_dir() and (photos / MANIFEST).is_file():
        photos /= MANIFEST
    found = items_of_folder(photos) if photos.is_dir() else items_of_manifest(photos)
    return list(found)


def own_catalogue(folder: Path, *, say: Callable[[str], None]) -> list[Item]:
    """Photographed products from an npm package where one can be had, and drawn ones."""
    return [*items_of_package(folder, say=say), *drawn_items()]
