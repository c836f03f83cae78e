"""Celery's soft time limit, told from other errors without importing Celery."""

from __future__ import annotations

import sys


def time_is_up() -> tuple[type[BaseException], ...]:
    """Return what ends a task when its time is up, for an ``except`` clause.

    Empty where nothing has imported Celery: then nobody can raise it either.
    """
    billiard = sys.modules.get("billiard.exceptions")
    return (billiard.SoftTimeLimitExceeded,) if billiard else ()
