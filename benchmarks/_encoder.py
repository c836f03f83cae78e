"""One encoder, measured in a process of its own: ``python -m benchmarks._encoder PATH PHOTOS``.

Prints a JSON object. With two arguments more, a weights file and its sha256, ResNet-18 runs with
those: random ones are as fast as real ones, so only speed is measured.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

BATCH, ROUNDS, K = 32, 5, 10


def main() -> None:
    """Measure the encoder named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    path, photos, *weights = sys.argv[1:]
    embedder = _with_weights(*weights) if weights else _resolved(path)
    print(json.dumps(_measure(embedder, _files(Path(photos)), quality=not weights)))


def _resolved(path: str) -> Any:
    from imgrec.embedders import resolve

    return resolve(path)


def _with_weights(file: str, digest: str) -> Any:
    from imgrec.embedders import ResNet18

    return ResNet18(file, sha256=digest)


def _files(folder: Path) -> list[tuple[Path, str]]:
    """Return the photos of a folder with their categories, by its manifest.csv."""
    with (folder / "manifest.csv").open(newline="") as file:
        return [(folder / row["file"], row["category"]) for row in csv.DictReader(file)]


def _measure(embedder: Any, files: list[tuple[Path, str]], *, quality: bool) -> dict[str, Any]:
    from imgrec.images import decoded_side, open_picture

    side = decoded_side(embedder)

    def pictures(chosen: list[tuple[Path, str]]) -> list[Any]:
        return [open_picture(path.read_bytes(), short_side=side) for path, _category in chosen]

    some = pictures(files[:BATCH])
    begin = time.perf_counter()
    embedder.embed(some[:1])
    cold = time.perf_counter() - begin
    taken = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        embedder.embed(some)
        taken.append(time.perf_counter() - begin)
    found = {
        "encoder": embedder.name,
        "version": embedder.version,
        "dimensions": embedder.dimensions,
        "cold_seconds": round(cold, 1),
        "resident_mb": round(_resident()),
        "images_per_second": round(BATCH / min(taken), 1),
    }
    if quality:
        batches = [files[at : at + BATCH] for at in range(0, len(files), BATCH)]
        rows = np.concatenate([embedder.embed(pictures(each)) for each in batches])
        found["map_at_10"] = round(mean_average_precision(rows, [each for _, each in files]), 3)
        found["photos"] = len(files)
    return found


def mean_average_precision(rows: Any, categories: list[str], k: int = K) -> float:
    """Return mAP@k: how far up, among the ``k`` nearest, are photos of the same category."""
    from imgrec.evaluation import metrics

    _names, codes = np.unique(categories, return_inverse=True)
    likeness = rows @ rows.T
    np.fill_diagonal(likeness, -np.inf)
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, : min(k, len(rows) - 1)]
    hits = metrics.relevant(nearest, np.arange(len(rows)), codes)
    found = metrics.mean(metrics.average_precision(hits, np.bincount(codes)[codes] - 1))
    assert found is not None
    return found


def _resident() -> float:
    """Return this process's resident memory in MB."""
    import psutil

    return float(psutil.Process().memory_info().rss) / 2**20


if __name__ == "__main__":
    main()
