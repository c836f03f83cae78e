"""The test shop on servers of its own, for as long as a benchmark runs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from demo_shop.services import Postgres, Redis


@contextmanager
def running_shop() -> Iterator[Redis]:
    """Start PostgreSQL and Redis, set Django up and migrate; yields the Redis."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        postgres = stack.enter_context(Postgres(folder))
        redis = stack.enter_context(Redis(folder))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "IMGREC_TEST_DATABASE_URL": postgres.url,
            "IMGREC_TEST_REDIS_URL": redis.url,
            "IMGREC_TEST_MEDIA": f"{folder}/media",
        }
        _set_up()
        yield redis


def _set_up() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    from tests import celery  # noqa: F401  - the host's Celery app, as a web process loads it

    call_command("migrate", verbosity=0)
