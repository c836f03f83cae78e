"""Products from a CSV file with a header line. Only the column ``file`` is a must.

Known columns: file (path beside the CSV), title, category, sku, price, stock, description (or
``what``). Others are ignored, missing ones derived.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

from demo_shop.seeding.items import Item
from demo_shop.seeding.names import category_of, sku_of, title_of

MOST_STOCK = 1_000_000


class ManifestError(Exception):
    """The CSV cannot be used; the message says where and why."""


def items_of_manifest(path: Path) -> Iterator[Item]:
    """One item a row, in the file's order.

    Raises ManifestError for a file without the column ``file``, a row that leaves the CSV's own
    folder, or a SKU that is there twice.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if "file" not in (rows.fieldnames or []):
            raise ManifestError(f"{path}: needs a header line with a column named 'file'.")
        seen: set[str] = set()
        for row in rows:
            item = _item(row, path.parent, where=f"{path}, line {rows.line_num}")
            if item.sku in seen:
                raise ManifestError(f"{path}, line {rows.line_num}: SKU {item.sku!r} again.")
            seen.add(item.sku)
            yield item


def _item(row: dict[str, str | None], folder: Path, *, where: str) -> Item:
    values = {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
    name = values["file"]
    photo = (folder / name).resolve()
    if not name or not photo.is_relative_to(folder.resolve()):
        raise ManifestError(f"{where}: {name!r} is no path below {folder}.")
    relative = Path(name)
    return Item(
        sku=(values.get("sku") or sku_of(name))[:100],
        title=(values.get("title") or title_of(relative.stem))[:200],
        category=_category(values.get("category", ""), relative),
        photo_name=relative.name,
        photo=photo.read_bytes,
        price=_price(values.get("price", "")),
        stock=_stock(values.get("stock", "")),
        description=values.get("description") or values.get("what", ""),
    )


def _category(name: str, file: Path) -> str:
    """The column as it is, only with a capital first; else the folder the file lies in."""
    return (name[0].upper() + name[1:])[:100] if name else category_of(file.parent.name)


def _stock(text: str) -> int | None:
    return min(int(text), MOST_STOCK) if text.isdecimal() else None


def _price(text: str) -> Decimal | None:
    """A price of at least 0 with two places; None for anything that is not one."""
    try:
        price = Decimal(text)
    except InvalidOperation:
        return None
    return price.quantize(Decimal("0.01")) if price.is_finite() and 0 <= price < 10**8 else None
