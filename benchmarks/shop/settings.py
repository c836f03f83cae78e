"""Django's settings of the benchmarks' shop.

BENCH_DATABASE_URL   a PostgreSQL with pgvector (``running_shop()`` starts one and sets it)
"""

from __future__ import annotations

import os

from demo_shop import environment

SECRET_KEY = "only-for-benchmarks"  # noqa: S105
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "imgrec",
    "benchmarks.shop",
]
ROOT_URLCONF = "benchmarks.shop.urls"
STATIC_URL = "static/"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {
    "default": environment.database(
        os.environ.get("BENCH_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/imgrec")
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIGRATION_MODULES = {"shop": None}  # its tables are made from the models as they are
USE_TZ = True
MEDIA_URL = "media/"
CELERY_BROKER_URL = "redis://127.0.0.1:1/0"  # nobody there: benchmarks that want one say so
