"""The photographed products come from npm where it delivers the known file, else not at all."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from decimal import Decimal
from pathlib import Path

import pytest

from demo_shop.seeding import vendure

CSV = """\
name  ,slug  ,description ,assets ,facets                         ,sku ,price ,stockOnHand
Laptop,laptop,"Fast, too.",a.jpg  ,category:Electronics|category:IT,L1  ,1299.00,100
      ,      ,            ,       ,                               ,L2  ,1399.00,100
"""


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small archive of the same form, which stands for the known one."""
    path = tmp_path / vendure.ARCHIVE
    with tarfile.open(path, "w:gz") as package:
        for name, data in (
            (vendure.CSV_NAME, CSV.encode()),
            (f"{vendure.PHOTO_FOLDER}a.jpg", b"A"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            package.addfile(member, io.BytesIO(data))
    monkeypatch.setattr(vendure, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def test_variants_are_left_out_and_the_innermost_category_counts(archive: Path) -> None:
    said: list[str] = []
    [item] = vendure.items_of_package(archive.parent, say=said.append)
    assert (item.title, item.sku, item.category) == ("Laptop", "L1", "IT")
    assert (item.price, item.stock) == (Decimal("1299.00"), 100)
    assert item.description == "Fast, too."
    assert item.photo() == b"A"
    assert said == []


def test_another_file_under_that_name_is_thrown_away(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes() + b"more")
    said: list[str] = []
    assert vendure.items_of_package(archive.parent, say=said.append) == []
    assert "is not the file we know" in said[0]
    assert not archive.exists()


def test_without_npm_one_line_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[str] = []
    assert vendure.items_of_package(tmp_path, say=said.append) == []
    assert said == ["Without the 54 photographed products: npm is not installed."]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (subprocess.TimeoutExpired("npm", 30), "npm took longer than 30 seconds"),
        (subprocess.CalledProcessError(1, "npm"), "npm could not fetch"),
    ],
)
def test_an_npm_that_fails_is_no_reason_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(vendure.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(vendure.subprocess, "run", fail)
    said: list[str] = []
    assert vendure.items_of_package(tmp_path, say=said.append) == []
    assert told in said[0]
