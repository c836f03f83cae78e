"""``imgrec.E013``, ``E014``, ``W001`` and ``W007``: what is to tell workers that there is work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning

from imgrec import shells
from imgrec.conf import settings
from imgrec.spaces import all_spaces

# Those that come with Django: one works in the process that sends, the other never.
WORKERLESS = {"ImmediateBackend", "DummyBackend"}


def check_shell(**kwargs: Any) -> list[CheckMessage]:
    """Look at the one that ``IMGREC["tasks"]`` names."""
    if not all_spaces():
        return []
    return list(_check_django() if shells.is_django() else _check_celery())


def _check_celery() -> Iterator[CheckMessage]:
    """W001: without the shop's Celery app here, work waits for the workers' own clock."""
    from imgrec import celery_post

    if not celery_post.is_loaded():
        hint = 'Load it in the project\'s __init__.py: "from .celery import app as celery_app".'
        text = "No Celery app is loaded in this process: photos are embedded with a delay."
        yield Warning(text, hint=hint, id="imgrec.W001")


def _check_django() -> Iterator[CheckMessage]:
    """E013, E014, W007: the framework, its queue, and who does the work."""
    framework = shells.framework()
    if framework is None:
        text = "IMGREC['tasks'] is 'django', and there is no django.tasks."
        hint = 'It comes with Django 6. Before: pip install "django-tasks>=0.12".'
        yield Error(text, hint=hint, id="imgrec.E013")
        return
    backend = framework.task_backends["default"]
    if backend.queues and settings.queue not in backend.queues:
        text = f"TASKS['default'] has no queue {settings.queue!r}: nothing would be sent."
        known = ", ".join(sorted(backend.queues))
        hint = f'Add it to its "QUEUES", or name one of those in IMGREC["queue"]: {known}.'
        yield Error(text, hint=hint, id="imgrec.E014")
    if type(backend).__name__ in WORKERLESS and not django_settings.DEBUG:
        text = f"TASKS['default'] is {type(backend).__name__}, which has no workers."
        hint = "Name a backend that has, such as django_tasks_db.DatabaseBackend."
        yield Warning(text, hint=hint, id="imgrec.W007")
