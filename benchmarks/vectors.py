"""How alike the benchmarks' made-up features and those of real photos are.

Real ones are EfficientNet-Lite0's of the photos in the folder that IMGREC_TEST_DATA names, as the
tests use it (its ``catalog``: ``manifest.csv`` and ``images``). Figures of both, for as many
rows: cosines of random pairs and of 1st, 10th and 64th neighbours, how unevenly products turn up
in others' lists, how much categories tell, and how many dimensions the whole and the
neighbourhoods have.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._report import Row, circumstances, main
from benchmarks._vectors import Vectors, categories, clustered

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
SEEDS = 5


def measure(*, quick: bool) -> list[Row]:
    """Return one row for each figure: made-up (median of several seeds) beside real."""
    if not _folder().exists():
        raise SystemExit(f"No photos in {_folder()}: IMGREC_TEST_DATA names another folder.")
    real, kinds = real_features(250 if quick else None)
    theirs = figures(real, kinds)
    n = len(real)
    ours = [figures(clustered(n, seed=s), categories(n, seed=s)) for s in range(SEEDS)]
    with circumstances(n=n, seed=0, repeats=SEEDS):
        return [
            Row(name, float(np.median([each[name] for each in ours])), "", "real photos", value)
            for name, value in theirs.items()
        ]


def real_features(count: int | None = None) -> tuple[Vectors, Any]:
    """Return unit rows (photos, 1280) and categories (photos,) of the catalogue.

    ``count``: of about so many photos only.
    """
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from imgrec.embedders import EfficientNetLite0
    from imgrec.images import open_picture

    folder = _folder()
    with (folder / "manifest.csv").open(newline="") as lines:
        listed = list(csv.DictReader(lines))
    listed = listed[:: max(1, len(listed) // count)] if count else listed
    files = [folder / row["file"] for row in listed]
    embedder = EfficientNetLite0()
    batches = (files[start : start + 32] for start in range(0, len(files), 32))
    rows = [embedder.embed([open_picture(file.read_bytes()) for file in each]) for each in batches]
    return np.vstack(rows), np.array([row["category"] for row in listed])


def _folder() -> Path:
    shared = Path(__file__).parents[2] / "shared" / "data"
    return Path(os.environ.get("IMGREC_TEST_DATA") or shared) / "catalog"


def figures(rows: Vectors, kinds: Any) -> dict[str, float]:
    """Return what makes neighbours easy or hard to find.

    Of unit rows (n, dimensions) and their categories (n,).
    """
    cosines = rows @ rows.T
    pairs = cosines[np.triu_indices(len(rows), 1)]
    np.fill_diagonal(cosines, -2)
    near = -np.sort(-cosines, axis=1)[:, :65]
    found = {f"cosine of random pairs, {_of(s)}": np.quantile(pairs, s) for s in SHARES}
    for place in (1, 10, 64):
        column = near[:, place - 1]
        found |= {f"cosine of neighbour {place}, {_of(s)}": np.quantile(column, s) for s in SHARES}
    found |= _telling(cosines, kinds)
    found["skew of turning up in top tens"] = _skew(cosines)
    found["dimensions of the whole"] = _participation(rows)
    found |= {f"dimensions of {k} neighbours": _intrinsic(near, k) for k in (20, 64)}
    return {name: float(value) for name, value in found.items()}


def _of(share: float) -> str:
    return "median" if share == 0.5 else f"{100 * share:.0f} %"


def _telling(cosines: Vectors, kinds: Any) -> dict[str, float]:
    same = kinds[:, None] == kinds
    top = np.argpartition(-cosines, 10, axis=1)[:, :10]
    return {
        "mean cosine within a category": cosines[same & (cosines > -2)].mean(),
        "mean cosine between categories": cosines[~same].mean(),
        "share of top tens in the same category": np.take_along_axis(same, top, 1).mean(),
    }


def _skew(cosines: Vectors) -> float:
    top = np.argpartition(-cosines, 10, axis=1)[:, :10]
    counts = np.bincount(top.ravel(), minlength=len(cosines))
    return float(((counts - counts.mean()) ** 3).mean() / counts.std() ** 3)


def _participation(rows: Vectors) -> float:
    """Return how many equal directions would spread the rows as much."""
    spread = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
    return float(spread.sum() ** 2 / (spread**2).sum())


def _intrinsic(near: Vectors, k: int) -> float:
    """Return Levina and Bickel's estimate from the distances of k neighbours, its median."""
    distances = np.sqrt(np.maximum(2 - 2 * near[:, :k], 1e-9))
    grown = np.log(distances[:, -1:] / distances[:, :-1]).sum(axis=1)
    return float(np.median((k - 2) / grown))


if __name__ == "__main__":
    main("vectors", measure)
