"""Products from a folder of pictures: every file is one, subfolders are the categories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from demo_shop.seeding.items import Item
from demo_shop.seeding.names import category_of, sku_of, title_of


def items_of_folder(folder: Path) -> Iterator[Item]:
    """One item a file, by path. Any extension counts and nothing is opened here: a file that is
    no picture shall show up in the shop's admin as failed, not vanish."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in relative.parts):
            yield Item(
                sku=sku_of(relative.as_posix()),
                title=title_of(path.stem),
                category=category_of(relative.parent.name),
                photo_name=path.name,
                photo=path.read_bytes,
            )
