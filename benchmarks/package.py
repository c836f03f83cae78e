"""What imgrec weighs, and how much later a web process is ready because of it.

Rivals: django.contrib.admin and Django REST framework, of which most shops have one or both.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from statistics import median

from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from benchmarks._report import Row, circumstances, main

ROOT = Path(__file__).parent.parent
BASE = ["django.contrib.auth", "django.contrib.contenttypes"]
IMGREC = [*BASE, "django.contrib.postgres", "imgrec"]
# Apps, and modules that a web process loads besides.
STARTS: dict[str, tuple[list[str], list[str]]] = {
    "nothing": (BASE, []),
    "imgrec": (IMGREC, ["imgrec.templatetags.imgrec"]),
    "django.contrib.admin": ([*BASE, "django.contrib.admin", "django.contrib.messages"], []),
    "rest_framework": (
        [*BASE, "rest_framework"],
        ["rest_framework.serializers", "rest_framework.viewsets", "rest_framework.routers"],
    ),
}
START = """
import sys, time
began = time.perf_counter()
from django.conf import settings
settings.configure(INSTALLED_APPS={apps!r}, USE_TZ=True)
import django
django.setup()
for name in {modules!r}:
    __import__(name)
print(time.perf_counter() - began, len(sys.modules))
"""


def measure(*, quick: bool) -> list[Row]:
    """Return the rows about sizes, and those about starting."""
    return [*_sizes(), *_starts(5 if quick else 25)]


def _sizes() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        wheel, source = (
            Path(next(kind(str(ROOT)).build(directory=folder, versions=["standard"])))
            for kind in (WheelBuilder, SdistBuilder)
        )
        with zipfile.ZipFile(wheel) as archive:
            files = archive.infolist()
        with tarfile.open(source) as archive:
            members = len(archive.getnames())
        ours = sum(each.file_size for each in files)
        wheel_size, source_size = wheel.stat().st_size, source.stat().st_size
    theirs = [Path(str(each.locate())) for each in _files("djangorestframework")]
    size = sum(path.stat().st_size for path in theirs)
    return [
        Row("wheel", wheel_size / 1e3, "KB", "source distribution", source_size / 1e3),
        Row("files in it", len(files), "", "source distribution", members),
        Row("installed", ours / 1e6, "MB", "Django REST framework", size / 1e6),
        Row("files installed", len(files), "", "Django REST framework", len(theirs)),
    ]


def _files(name: str) -> list[object]:
    found = distribution(name).files or []
    return [each for each in found if "__pycache__" not in each.parts and each.parts[0] != ".."]


def _starts(repeats: int) -> list[Row]:
    """Start processes of each kind in turns, and compare what each takes over Django alone."""
    took: dict[str, list[float]] = {name: [] for name in STARTS}
    modules: dict[str, int] = {}
    for _ in range(repeats):
        for name in STARTS:
            seconds, modules[name] = _start(name)
            took[name].append(1e3 * seconds)
    nothing = median(took["nothing"])
    extra = {name: median(each) - nothing for name, each in took.items()}
    with circumstances(repeats=repeats):
        return [
            Row(
                "start with imgrec",
                extra["imgrec"],
                "ms",
                f"with {rival}",
                extra[rival],
                note=f"over {nothing:.0f} ms of Django alone; "
                f"{modules['imgrec'] - modules['nothing']} modules more, "
                f"{modules[rival] - modules['nothing']}",
            )
            for rival in ("django.contrib.admin", "rest_framework")
        ]


def _start(name: str) -> tuple[float, int]:
    """Return the seconds and the number of modules of a fresh process."""
    apps, modules = STARTS[name]
    code = START.format(apps=apps, modules=modules)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    seconds, count = done.stdout.split()
    return float(seconds), int(count)


if __name__ == "__main__":
    main("package", measure)
