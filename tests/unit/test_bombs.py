"""Small files that want to become huge: refused, in little memory and time, without a trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFile, PngImagePlugin

from imgrec.errors import PictureError
from imgrec.images import check_header, open_picture
from imgrec.reasons import Reason
from tests.bombs import BOMBS, jpeg_scans, one_bit, png, text_chunks
from tests.worker import ROOT

MOST_MIB = 60
MOST_SECONDS = 0.05

# Each file by the way of a worker's photos, in a process that has read ordinary ones before.
SCRIPT = """
import json, sys, time, django; django.setup()
from io import BytesIO
from pathlib import Path
from PIL import Image
from imgrec import encoding
from imgrec.errors import PictureError
from imgrec.testing import ColourGrid
def outcome(data):
    try: return encoding.decode(ColourGrid(), data).mode
    except PictureError as error: return str(error.code.value)
def mebibytes(line):
    return int(Path("/proc/self/status").read_text().split(line + ":")[1].split()[0]) / 1024
for kind in ("JPEG", "PNG", "WEBP", "GIF", "AVIF"):
    out = BytesIO(); Image.new("RGB", (300, 300)).save(out, kind); outcome(out.getvalue())
found = {}
for file in sorted(Path(sys.argv[1]).iterdir()):
    data = file.read_bytes()
    Path("/proc/self/clear_refs").write_text("5")
    before, took = mebibytes("VmRSS"), []
    for _ in range(3):
        started = time.process_time(); result = outcome(data); took.append(time.process_time() - started)
    found[file.name] = result, mebibytes("VmHWM") - before, min(took)
print(json.dumps(found))
"""  # noqa: E501


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of each bomb, the memory it took beside its own bytes, and its seconds."""
    folder, environment = _folder_of_bombs(tmp_path_factory.mktemp("bombs")), _environment()
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers = list(json.loads(done.stdout).values())
    return dict(zip(BOMBS, answers, strict=True))


def _folder_of_bombs(folder: Path) -> Path:
    for number, (make, _reason) in enumerate(BOMBS.values()):
        (folder / f"{number:02}").write_bytes(make())
    return folder


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_or_harmless(name: str, measured: dict[str, Any]) -> None:
    outcome, mebibytes, seconds = measured[name]
    expected = BOMBS[name][1]
    assert outcome == ("RGB" if expected is None else expected.value)
    assert mebibytes <= MOST_MIB
    assert seconds <= MOST_SECONDS


@pytest.mark.parametrize("name", BOMBS)
def test_the_web_process_refuses_them_too(name: str) -> None:
    make, reason = BOMBS[name]
    if reason is None:
        assert min(check_header(make())) >= 1
        return
    with pytest.raises(PictureError) as caught:
        check_header(make())
    assert caught.value.code == reason


def test_pictures_of_ordinary_numbers_of_parts_are_read() -> None:
    assert open_picture(jpeg_scans(20, size=64)).size == (64, 64)
    assert open_picture(text_chunks(900_000, 8)).size == (4, 4)


def test_a_shop_may_allow_more_than_pillow_warns_about() -> None:
    data = one_bit(9_600)
    assert (Image.MAX_IMAGE_PIXELS or 0) < 9_600**2
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        check_header(data, max_pixels=100_000_000)
    assert heard == []


def test_pillow_and_the_warning_filters_are_left_as_they_were() -> None:
    def state() -> tuple[object, ...]:
        return (
            Image.MAX_IMAGE_PIXELS,
            ImageFile.LOAD_TRUNCATED_IMAGES,
            PngImagePlugin.MAX_TEXT_CHUNK,
            PngImagePlugin.MAX_TEXT_MEMORY,
            list(warnings.filters),
        )

    before = state()
    open_picture(png(2, pixels=bytes(14)))
    with pytest.raises(PictureError):
        open_picture(png(65_535))
    assert state() == before


def test_a_sliver_of_ordinary_length_is_read() -> None:
    assert open_picture(png((1, 60_000), depth=1, colour=0, pixels=bytes(120_000))).width == 1
    with pytest.raises(PictureError) as caught:
        open_picture(png((70_000, 1), depth=1, colour=0, pixels=bytes(8_751)))
    assert caught.value.code == Reason.TOO_MANY_PIXELS


def _environment() -> dict[str, str]:
    settings = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT)}
    return {**os.environ, **settings}
