"""The shop's Celery app as its web processes use it; what workers do is in ``imgrec.tasks``."""

from __future__ import annotations

from typing import Any

from celery import current_app

from imgrec.conf import settings

INSPECT_SECONDS = 2.0


def is_loaded() -> bool:
    """Return whether the process has the shop's own Celery app (else imgrec.W001 says so)."""
    app: Any = current_app
    return bool(app.main != "default" or app.configured)


def send(name: str) -> None:
    """Send a message over a connection of our own; nothing without the shop's app."""
    app: Any = current_app
    if not is_loaded():
        return
    with bounded_connection(app) as connection:
        app.send_task(
            name, queue=settings.queue, connection=connection, retry=False, ignore_result=True
        )


def bounded_connection(app: Any) -> Any:
    """Return a connection to the broker that gives up after ``broker_timeout_seconds``."""
    seconds = settings.broker_timeout_seconds
    options = {
        **(app.conf.broker_transport_options or {}),
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "max_retries": 0,
    }
    return app.connection_for_write(transport_options=options, connect_timeout=seconds)


def consumed_queues() -> set[str]:
    """Ask the workers which queues they consume; none answers within two seconds: none."""
    app: Any = current_app
    try:
        with bounded_connection(app) as connection:
            inspect = app.control.inspect(timeout=INSPECT_SECONDS, connection=connection)
            answers = inspect.active_queues() or {}
    except Exception:  # noqa: BLE001 - the broker being away is a finding, whatever it raises
        return set()
    return {queue["name"] for queues in answers.values() for queue in queues}
