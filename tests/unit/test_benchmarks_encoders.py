"""The table of encoders: figures that are right, in a page that stays as it is."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import encoders
from benchmarks._encoder import mean_average_precision

FOUND = {
    "encoder": "resnet18",
    "dimensions": 512,
    "cold_seconds": 2.34,
    "resident_mb": 1234,
    "images_per_second": 51.6,
    "map_at_10": 0.7,
}


def test_map_counts_how_far_up_the_same_category_is() -> None:
    angles = np.radians([0, 1, 3, 90])  # nearest to each: itself left out, the next angle first
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert mean_average_precision(rows, ["a", "a", "a", "b"]) == pytest.approx(1)
    # of the first and the third, the other one comes second
    assert mean_average_precision(rows, ["a", "b", "a", "c"]) == pytest.approx(0.5)


def test_the_table_says_what_was_not_measured() -> None:
    without = {key: value for key, value in FOUND.items() if key != "map_at_10"}
    rows = encoders.table([FOUND, without, {"encoder": "Other", "missing": True}]).splitlines()
    assert rows[2] == "| `resnet18` | 512 | 1.0 MB | 1,234 MB | 2.3 s | 52 | 0.700 |"
    assert rows[3].endswith("| 52 | not measured |")
    assert rows[4].startswith("| `Other` | not here |")
    assert {row.count("|") for row in rows} == {len(encoders.COLUMNS) + 1}


def test_writing_the_table_leaves_the_rest_of_the_page() -> None:
    page = f"above\n{encoders.BEGIN}old\n{encoders.END}below\n"
    written = encoders.with_table(page, "| new |\n")
    assert written == f"above\n{encoders.BEGIN}| new |\n{encoders.END}below\n"
    assert encoders.with_table(written, "| new |\n") == written


def test_the_page_has_its_place_for_the_table() -> None:
    page = encoders.PAGE.read_text()
    assert page.count(encoders.BEGIN) == page.count(encoders.END) == 1
