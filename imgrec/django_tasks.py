"""Django's own task framework round the plain functions, in place of Celery.

Imported where ``IMGREC["tasks"]`` is "django": by whoever sends a message, and by the worker of the
shop's backend, which finds :data:`run` by its path.
"""

from __future__ import annotations

from contextvars import ContextVar
from importlib import import_module
from typing import Any

from imgrec import shells
from imgrec.conf import settings

_framework = shells.framework()
if _framework is None:
    raise ImportError("django.tasks comes with Django 6; before, install django-tasks.")

# Somebody waits for these.
URGENT = {"imgrec.answer_photos"}
PRIORITY = 50

# The chores this thread has still to do, while it does some.
_waiting: ContextVar[list[str] | None] = ContextVar("imgrec_waiting", default=None)


@_framework.task(queue_name=settings.queue)  # type: ignore[untyped-decorator]
def run(chore: str) -> None:
    """Do a chore, and those it asks for if the backend runs what is sent at once.

    Such a backend calls us from within a chore: that is noted, and done when the chore is over.
    """
    if (waiting := _waiting.get()) is not None:
        waiting.append(chore)
        return
    # By name: those who only send need not load what workers do.
    chores = import_module("imgrec.chores").CHORES
    waiting = [chore]
    token = _waiting.set(waiting)
    try:
        while waiting:
            chores[waiting.pop(0)](send)
    finally:
        _waiting.reset(token)


def send(chore: str) -> None:
    """Enqueue a chore with the backend ``default``. Raises what the backend raises."""
    task: Any = run
    urgent = chore in URGENT and task.get_backend().supports_priority
    task.using(queue_name=settings.queue, priority=PRIORITY if urgent else 0).enqueue(chore)
