"""54 photographed products from the npm package ``@vendure/create`` 2.3.4 (MIT).

npm fetches the package, so a company's registry settings apply. Without npm, or when it does not
deliver in time, the shop does without these products.
"""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from demo_shop.seeding.items import Item

PACKAGE = "@vendure/create@2.3.4"
ARCHIVE = "vendure-create-2.3.4.tgz"
SHA256 = "ea1205779025ad02ed84e60e33ef568157c2e8a4ab81dd33a7034f97652a38bf"
SECONDS = 30
CSV_NAME = "package/assets/products.csv"
PHOTO_FOLDER = "package/assets/images/"


def items_of_package(folder: Path, *, say: Callable[[str], None]) -> list[Item]:
    """The package's products; an empty list, and one line said, when it cannot be had."""
    archive = folder / ARCHIVE
    problem = "" if archive.exists() else _fetch(folder)
    if not problem and hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        archive.unlink()
        problem = f"{PACKAGE} is not the file we know"
    if problem:
        say(f"Without the 54 photographed products: {problem}.")
        return []
    return _items(archive)


def _fetch(folder: Path) -> str:
    """Have npm put the archive into the folder. Returns "" or why it did not."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed"
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", PACKAGE, "--ignore-scripts", "--silent"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"npm took longer than {SECONDS} seconds"
    except (subprocess.CalledProcessError, OSError):
        return f"npm could not fetch {PACKAGE}"
    return "" if (folder / ARCHIVE).exists() else f"npm left no {ARCHIVE}"


def _items(archive: Path) -> list[Item]:
    with tarfile.open(archive, "r:gz") as package:
        members = {member.name: member for member in package.getmembers() if member.isfile()}
        file = package.extractfile(members[CSV_NAME])
        text = file.read().decode("utf-8") if file else ""
        photos = {
            name.removeprefix(PHOTO_FOLDER): _bytes(package, member)
            for name, member in members.items()
            if name.startswith(PHOTO_FOLDER)
        }
    return [_item(row, photos) for row in _rows(text) if row["name"]]


def _bytes(package: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = package.extractfile(member)
    return file.read() if file else b""


def _rows(text: str) -> list[dict[str, str]]:
    """The CSV pads its columns with blanks; rows without a name are variants of the one above."""
    rows = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    return [{key.strip(): (value or "").strip() for key, value in row.items()} for row in rows]


def _item(row: dict[str, str], photos: dict[str, bytes]) -> Item:
    shelves = [
        facet.removeprefix("category:")
        for facet in row["facets"].split("|")
        if facet.startswith("category:")
    ]
    photo = photos[row["assets"]]
    return Item(
        sku=row["sku"],
        title=row["name"],
        category=shelves[-1],
        photo_name=row["assets"],
        photo=lambda: photo,
        price=Decimal(row["price"]),
        stock=int(row["stockOnHand"]),
        description=row["description"],
    )
