"""What the shop under test sells: free photos of clothing, or pictures drawn on the spot."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from demo_shop.seeding.drawn.catalogue import drawn_items

KINDS = 6
OF_EACH_KIND = 10
FREE = {"set": "clothing", "licence": "CC0-1.0"}


@dataclass(frozen=True)
class Ware:
    """One row of the manifest, and its photo's file."""

    sku: str
    title: str
    category: str
    photo: Path
    stock: int = 7


@dataclass(frozen=True)
class Wares:
    """A shop's worth of products; the last of one kind is sold out, of another its photo broken."""

    rows: list[Ware]
    sold_out: Ware
    damaged: Ware
    whole_photo: bytes  # what the damaged one should be

    @classmethod
    def stocked(cls, folder: Path, photos: Path | None, *, everything: bool = False) -> Wares:
        """Copy or draw the photos into ``folder``: about sixty, or all there are."""
        limit = 1_000 if everything else OF_EACH_KIND
        kinds = _photographed(folder, photos, limit) if photos else _drawn(folder, limit)
        chosen = kinds if everything else kinds[:KINDS]
        sold_out = chosen[0][-1] = replace(chosen[0][-1], stock=0)
        damaged = chosen[1][-1]
        whole = damaged.photo.read_bytes()
        damaged.photo.write_bytes(whole[: len(whole) // 3])
        return cls([ware for kind in chosen for ware in kind], sold_out, damaged, whole)

    def of_kind(self, number: int) -> list[Ware]:
        """Return the wares of one shelf."""
        names = list(dict.fromkeys(each.category for each in self.rows))
        return [each for each in self.rows if each.category == names[number]]

    def manifest(self) -> Path:
        """Write them as ``manage.py demo --photos`` takes them, beside the photos."""
        path = self.rows[0].photo.parent / "manifest.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "sku", "title", "category", "stock"])
            for each in self.rows:
                writer.writerow([each.photo.name, each.sku, each.title, each.category, each.stock])
        return path


def _photographed(folder: Path, photos: Path, limit: int) -> list[list[Ware]]:
    kinds: defaultdict[str, list[Ware]] = defaultdict(list)
    with (photos / "manifest.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            kind = kinds[row["category"]] if FREE.items() <= row.items() else None
            if kind is not None and len(kind) < limit:
                copy = folder / Path(row["file"]).name
                copy.write_bytes((photos / row["file"]).read_bytes())
                kind.append(Ware(row["sku"], row["title"], row["category"].capitalize(), copy))
    return list(kinds.values())


def _drawn(folder: Path, limit: int) -> list[list[Ware]]:
    kinds: defaultdict[str, list[Ware]] = defaultdict(list)
    for item in drawn_items():
        if len(kinds[item.category]) < limit:
            photo = folder / item.photo_name
            photo.write_bytes(item.photo())
            kinds[item.category].append(Ware(item.sku, item.title, item.category, photo))
    return list(kinds.values())
