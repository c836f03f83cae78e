"""Django's settings of the gallery.

BENCH_DATABASE_URL   a PostgreSQL with pgvector
BENCH_MEDIA          the folder that holds ``photos``
BENCH_EMBEDDER       the encoder's dotted path, default ResNet18
BENCH_WEIGHTS        its weights file; BENCH_WEIGHTS_SHA256 what that must have
"""

from __future__ import annotations

import os

from benchmarks.shop.settings import *  # noqa: F403

INSTALLED_APPS = ["django.contrib.postgres", "imgrec", "benchmarks.gallery"]
MIGRATION_MODULES = {"gallery": None}
MEDIA_ROOT = os.environ.get("BENCH_MEDIA", "")
IMGREC = {
    "embedder": os.environ.get("BENCH_EMBEDDER", "imgrec.embedders.ResNet18"),
    "photo_search": False,  # there is no Redis to ask for any
}
if os.environ.get("BENCH_WEIGHTS"):
    IMGREC["weights"] = {
        "resnet18": {
            "path": os.environ["BENCH_WEIGHTS"],
            "sha256": os.environ["BENCH_WEIGHTS_SHA256"],
        }
    }
