"""The command lines of the demo's processes."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from demo_shop.settings import BASE_DIR

HOST = "127.0.0.1"


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(BASE_DIR / "manage.py"), *arguments]


def worker() -> list[str]:
    """A Celery worker of two processes for imgrec's queue."""
    command = [sys.executable, "-m", "celery", "-A", "demo_shop", "worker", "-Q", "imgrec"]
    return [*command, "-c", "2", "-l", "INFO", "--without-gossip", "--without-mingle"]


def web(port: int) -> list[str]:
    """gunicorn where it is installed, Django's own server elsewhere."""
    if find_spec("gunicorn") is None:
        return manage("runserver", "--noreload", f"{HOST}:{port}")
    command = [sys.executable, "-m", "gunicorn", "demo_shop.wsgi", "--bind", f"{HOST}:{port}"]
    return [*command, "--config", "python:demo_shop.gunicorn_conf"]
