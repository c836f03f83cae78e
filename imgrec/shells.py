"""What carries the word to workers: Celery, or Django's own tasks (``IMGREC["tasks"]``).

Either is loaded where it is used, so that a shop with the one never imports the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings as django_settings

from imgrec.conf import settings

ROOMS = {"celery": "imgrec.celery_post", "django": "imgrec.django_tasks"}
# Django's own from 6.0 on; before, the package of the same interface.
FRAMEWORKS = ("django.tasks", "django_tasks")


def is_django() -> bool:
    """Return whether Django's own tasks are used; anything that is no shell counts as Celery."""
    return settings.tasks == "django"


def send(names: Iterable[str]) -> None:
    """Send a message for each chore. Raises whatever the queue raises when it is away."""
    room = import_module(ROOMS["django" if is_django() else "celery"])
    for name in names:
        room.send(name)


def framework() -> Any:
    """Return the module with Django's ``task`` and ``task_backends``, None when there is none."""
    found = next((name for name in FRAMEWORKS if find_spec(name)), None)
    return import_module(found) if found else None


def worker() -> str:
    """Return how a worker is started, for those who have none."""
    if not is_django():
        return f"celery -A yourproject worker -Q {settings.queue}"
    path = str(getattr(django_settings, "TASKS", {}).get("default", {}).get("BACKEND", ""))
    if path.endswith(".DatabaseBackend"):
        return f"python manage.py db_worker --queue-name {settings.queue}"
    return f"the worker of {path or 'a task backend'}, queue {settings.queue}"
