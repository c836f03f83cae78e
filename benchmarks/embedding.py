"""From photos on disk to rows in PostgreSQL: how fast, how lean, how near to the plain pipeline.

Photos are the test data's, enlarged to 1 and 12 megapixels. ResNet-18 with weights of random
values, which take the time that trained ones take. Rivals, in turns with ours on two cores:

- the article's loop: torchvision's transforms and eager float32, a picture at a time;
- the floor: two cores busy with nothing but decoding and the forward pass;
- img2vec-pytorch; OpenVINO's and torch's forward passes.

Rivals only compute, ours also claims, stores and commits. How near the vectors are is measured
with EfficientNet-Lite0, whose weights know pictures. Rivals: the extra ``bench``.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import _likeness, _loops, _photos
from benchmarks._report import Row, circumstances, main, progress, told
from benchmarks.gallery import indexing
from benchmarks.gallery.indexing import Indexed
from benchmarks.shop.running import running_shop

CORES = 2
FORWARD_REPEATS = 5


@dataclass(frozen=True)
class Amounts:
    """How many photos each part takes, and how many rounds."""

    small: int
    large: int
    rounds: int
    looped: int
    compared: int
    many: int


FULL = Amounts(small=800, large=200, rounds=5, looped=100, compared=400, many=10_000)
QUICK = Amounts(small=64, large=8, rounds=1, looped=8, compared=32, many=64)


def measure(*, quick: bool) -> list[Row]:
    """Measure speed, then memory, then likeness."""
    amounts = QUICK if quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        weights, digest = _loops.written_weights(Path(folder, "torch"))
        os.environ |= {
            "BENCH_MEDIA": folder,
            "BENCH_WEIGHTS": str(weights),
            "BENCH_WEIGHTS_SHA256": digest,
        }
        photos = Path(folder, "photos")
        with running_shop("benchmarks.gallery.settings"), _loops.a_process() as rivals:
            rows = told(_small(photos, amounts, rivals))
            rows += told(_large(photos, amounts, rivals))
            rows += told(_many(photos, amounts, loop=rows[0].rival_value))
        return rows + told(_near(photos, amounts))


def _small(photos: Path, amounts: Amounts, rivals: Any) -> list[Row]:
    """One megapixel: beside the loop, the floor and others."""
    progress(f"{amounts.small} photos of 1 megapixel")
    paths = _photos.make(photos, amounts.small, megapixels=1)
    rounds = [_round(paths, amounts, rivals) for _ in range(amounts.rounds)]
    ours, one, loop, img2vec = (statistics.median(column) for column in zip(*rounds, strict=True))
    with _loops.a_process() as own:
        decoding = own(_loops.our_decoding, paths[: amounts.looped]) / amounts.looped
        forward, busy = own(_loops.our_forward, FORWARD_REPEATS)
    openvino = rivals(_loops.openvino_forward, FORWARD_REPEATS)
    torch = rivals(_loops.torch_forward, FORWARD_REPEATS)
    floor = CORES / (decoding + busy / _loops.BATCH)
    batch = _loops.BATCH
    with circumstances(n=len(paths), seed=0, repeats=amounts.rounds):
        return [
            Row("1 MP: photos to rows", ours, "/s", "the article's loop", loop),
            Row("1 MP: photos to rows", ours, "/s", "the floor", floor),
            Row("1 MP: photos to rows", ours, "/s", "img2vec-pytorch", img2vec),
            Row("1 MP: photos to rows, 2 processes", ours, "/s", "1 process", one),
            Row("forward pass, 1 thread", batch / forward, "/s", "torch eager, 2 threads",
                batch / torch, repeats=FORWARD_REPEATS),
            Row("forward pass, 1 thread", batch / forward, "/s", "OpenVINO, 2 threads",
                batch / openvino, repeats=FORWARD_REPEATS),
            Row("decoding, a photo", 1000 * decoding, "ms", "forward pass, a photo",
                1000 * busy / batch, repeats=1),
        ]  # fmt: skip


def _round(paths: list[Path], amounts: Amounts, rivals: Any) -> tuple[float, ...]:
    some = paths[: amounts.looped]
    return (
        len(paths) / indexing.index(paths, CORES).seconds,
        len(paths) / indexing.index(paths, 1).seconds,
        len(some) / rivals(_loops.articles_loop, some),
        len(some) / rivals(_loops.img2vec, some),
    )


def _large(photos: Path, amounts: Amounts, rivals: Any) -> list[Row]:
    """Twelve megapixels: what phones send."""
    progress(f"{amounts.large} photos of 12 megapixels")
    paths = _photos.make(photos, amounts.large, megapixels=12)
    some = paths[: max(amounts.looped // 4, 8)]
    ours, loop = [], []
    for _ in range(amounts.rounds):
        ours.append(len(paths) / indexing.index(paths, CORES).seconds)
        loop.append(len(some) / rivals(_loops.articles_loop, some))
    values = statistics.median(ours), "/s", "the article's loop", statistics.median(loop)
    return [
        Row("12 MP: photos to rows", *values, n=len(paths), seed=0, repeats=amounts.rounds),
    ]


def _many(photos: Path, amounts: Amounts, *, loop: float) -> list[Row]:
    """As many photos as a shop has: memory, and nothing done twice."""
    progress(f"{amounts.many:,} photos, most of 1 megapixel, one in fifty of 12")
    paths = _photos.make(photos, amounts.many * 49 // 50, megapixels=1)
    paths += _photos.make(photos, amounts.many // 50, megapixels=12)
    first = indexing.index(paths, CORES)
    before = indexing.writes()
    again = indexing.index(paths, CORES, again=True)
    return _rows_of(first, again, len(paths), indexing.writes() - before, loop)


def _rows_of(first: Indexed, again: Indexed, n: int, written: int, loop: float) -> list[Row]:
    with circumstances(n=n, seed=0, repeats=1):
        return [
            Row(f"{n:,} photos: memory added at the peak", first.added, "MB", "the bar", 400),
            Row(f"{n:,} photos: resident with the model", first.loaded, "MB", "at the peak",
                first.loaded + first.added),
            Row(f"{n:,} photos to rows and lists", first.seconds, "s", "the article's loop at 1 MP",
                n / loop),
            Row("cold start to the first vector", first.cold, "s", "all of it", first.seconds),
            Row("again unchanged: forward passes", again.forward_passes, "", "at first",
                first.forward_passes),
            Row("again unchanged: rows written", written, "", "photos", n),
        ]  # fmt: skip


def _near(photos: Path, amounts: Amounts) -> list[Row]:
    """Vectors of full and of reduced decoding beside those of the plain pipeline."""
    rows = []
    with _loops.a_process() as own:
        for megapixels, how, bar, share in (
            (1, "full", 0.999, 1), (4, "reduced", 0.995, 1), (12, "reduced", 0.995, 4)
        ):  # fmt: skip
            count = amounts.compared // share
            progress(f"{count} photos of {megapixels} megapixels beside the plain pipeline")
            folder = photos / f"near-{megapixels}"
            paths = _photos.make(folder, count, megapixels=megapixels, distinct=count)
            cosine, shared = own(_likeness.compared, paths)
            name = f"{megapixels} MP, {how} decoding: "
            with circumstances(n=count, seed=0, repeats=1):
                rows.append(Row(f"{name}cosine at the 1st percentile", cosine, "", "the bar", bar))
                if count > 3 * _likeness.K:  # among fewer the ten nearest are nearly all
                    plain = f"{name}top 10 as the plain pipeline's"
                    rows.append(Row(plain, shared, "", "all", 1.0))
    return rows


if __name__ == "__main__":
    main("embedding", measure)
