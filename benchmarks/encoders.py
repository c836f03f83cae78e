"""The table of encoders in docs/encoders.md: what each costs, and how good its lists are.

``python -m benchmarks.encoders --photos FOLDER [--json | --write]``. The folder has a manifest.csv
with ``file`` and ``category``. Each encoder is measured in a process of its own, one thread;
``--encoder PATH`` (repeatable) names others than the built-in ones, an instance of ``Timm`` say.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks._loops import written_weights
from benchmarks._report import machine, progress

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "encoders.md"
BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->\n"
BUILT_IN = (
    "imgrec.embedders.ResNet18",
    "imgrec.embedders.EfficientNetLite0",
    "imgrec.testing.ColourGrid",
)
COLUMNS = (
    "encoder", "dimensions", "1,000 vectors", "resident", "first vector", "photos/s", "mAP@10",
)  # fmt: skip


def main() -> None:
    """Parse the command line, measure, and print or write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoders")
    parser.add_argument("--photos", type=Path, default=_usual_photos(), help="with a manifest.csv")
    parser.add_argument("--encoder", action="append", help="dotted path; default: the built-in")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--write", action="store_true", help="put the table into docs/encoders.md")
    parser.add_argument("--quick", action="store_true", help="accepted; it takes a minute anyway")
    options = parser.parse_args()
    if not (options.photos / "manifest.csv").is_file():
        parser.exit(message=f"No manifest.csv in {options.photos}: nothing measured.\n")
    found = [measure(path, options.photos) for path in options.encoder or BUILT_IN]
    if options.json:
        print(json.dumps({"machine": machine(), "encoders": found}, indent=2))
    elif options.write:
        PAGE.write_text(with_table(PAGE.read_text(), table(found)))
    else:
        print(table(found), end="")


def measure(path: str, photos: Path) -> dict[str, Any]:
    """Measure one encoder; ResNet-18 without its weights with stand-in ones, but no quality."""
    progress(path)
    missing = _is_missing(path)
    stand_in = missing and path.endswith(".ResNet18")
    if missing and not stand_in:
        return {"encoder": path.rsplit(".", 1)[-1], "missing": True}
    command = [sys.executable, "-m", "benchmarks._encoder", path, str(photos)]
    with tempfile.TemporaryDirectory() as folder:
        command += map(str, written_weights(Path(folder, "torch"))) if stand_in else ()
        answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def table(found: list[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table."""
    lines = [COLUMNS, ("---",) + ("---:",) * (len(COLUMNS) - 1), *map(_cells, found)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def with_table(page: str, rows: str) -> str:
    """Return the page with its measured part replaced."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{rows}{END}{rest.partition(END)[2]}"


def _cells(found: dict[str, Any]) -> tuple[str, ...]:
    name = f"`{found['encoder']}`"
    if "missing" in found:
        return (name, *["not here"] * (len(COLUMNS) - 1))
    quality = found.get("map_at_10")
    return (
        name,
        f"{found['dimensions']:,}",
        f"{found['dimensions'] * 2 / 1000:.1f} MB",
        f"{found['resident_mb']:,} MB",
        f"{found['cold_seconds']:.1f} s",
        f"{found['images_per_second']:,.0f}",
        "not measured" if quality is None else f"{quality:.3f}",
    )


def _is_missing(path: str) -> bool:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from imgrec.embedders import resolve

    return resolve(path).available() is not None


def _usual_photos() -> Path:
    data = os.environ.get("IMGREC_TEST_DATA") or ROOT.parent / "shared" / "data"
    return Path(data) / "catalog"


if __name__ == "__main__":
    main()
