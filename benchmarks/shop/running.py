"""The shop's PostgreSQL, with the memory an owner of such a server would give it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from demo_shop.services import Postgres

# For 1,000,000 vectors of 512 dimensions: table and index lie in memory, and an index build fits
# into maintenance_work_mem up to about 1,000,000 vectors (beyond it slows down many times).
SERVER = {
    "shared_buffers": "4GB",
    "maintenance_work_mem": "4GB",
    "max_parallel_maintenance_workers": "2",
    "max_wal_size": "8GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@contextmanager
def running_shop(settings: str = "benchmarks.shop.settings", **options: str) -> Iterator[Postgres]:
    """Start PostgreSQL, set Django up and make the tables; ``options`` are server settings."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Postgres(folder, durable=False, options=SERVER | options) as postgres,
    ):
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": settings,
            "BENCH_DATABASE_URL": postgres.url,
        }
        _set_up()
        yield postgres


def _set_up() -> None:
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
    call_command("migrate", run_syncdb=True, verbosity=0)
