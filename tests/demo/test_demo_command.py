"""``manage.py demo``: clear words when it cannot start, and its check from end to end."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo_shop.running.errors import FolderInUse
from demo_shop.running.folder import DataFolder
from demo_shop.seeding.drawn.catalogue import drawn_picture
from tests.worker import ROOT

COLOURS = ("Sage", "Plum", "Ocean", "Chalk")
PATTERNS = ("plain", "striped", "dotted", "checked")


def demo(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as somebody would, with the tests' own settings out of its way."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "DJANGO_SETTINGS_MODULE" and not name.startswith(("IMGREC_TEST", "DEMO_"))
    }
    return subprocess.run(
        [sys.executable, "manage.py", "demo", *arguments],
        cwd=ROOT,
        env={**environment, "DEMO_DATA": str(folder)},
        capture_output=True,
        text=True,
        timeout=400,
    )


def test_a_port_in_use_is_told_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = demo("--port", str(port), folder=tmp_path)
    assert done.returncode == 1
    assert f"Port {port} is taken." in done.stderr
    assert f"--port {port + 1}" in done.stderr
    assert not (tmp_path / "postgres").exists()


def test_photos_that_are_not_there_are_told(tmp_path: Path) -> None:
    done = demo("--photos", str(tmp_path / "none.csv"), folder=tmp_path)
    assert done.returncode == 1
    assert "There is nothing at" in done.stderr


def test_two_demos_over_one_folder_are_refused(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    first.take()
    with pytest.raises(FolderInUse, match="Another demo runs over"):
        second.take()
    first.give_back()
    second.take()
    second.give_back()


def test_the_admins_password_is_drawn_once_and_private(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    password = folder.admin_password
    assert len(password) >= 12
    assert DataFolder(tmp_path).admin_password == password
    assert (tmp_path / "admin-password").stat().st_mode & 0o077 == 0


@pytest.mark.full
@pytest.mark.timeout(420)
def test_the_check_of_a_small_shop(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for family in ("mug", "lamp", "sneaker"):
        (photos / family).mkdir(parents=True)
        for colour in COLOURS:
            for pattern in PATTERNS:
                picture = drawn_picture(family, colour, pattern)
                picture.save(photos / family / f"{colour} {pattern}.jpg")
    (photos / "broken.jpg").write_bytes(b"no picture at all")
    done = demo("--check", "--photos", str(photos), folder=tmp_path / "data")
    assert done.stdout, done.stderr
    summary = json.loads(done.stdout)
    assert summary["problems"] == [], done.stderr
    assert (done.returncode, summary["ok"]) == (0, True)
    assert (summary["products"], summary["ready"], summary["failed"]) == (49, 48, 1)
    assert summary["failures"] == {"not_an_image": 1}
    assert summary["precision_at_5"] > 0.9
    assert summary["kill"]["lists_right_after"] == summary["kill"]["photos"] > 0
    # All of it happened in a folder of its own.
    assert not (tmp_path / "data" / "postgres").exists()
