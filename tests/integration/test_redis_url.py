"""Which Redis carries shoppers' photos."""

from __future__ import annotations

from typing import Any

import celery
import pytest

from imgrec.conf import redis_url

OURS = "redis://ours:6379/1"
THEIRS = "redis://theirs:6379/2"


@pytest.fixture
def shops_celery(monkeypatch: pytest.MonkeyPatch, settings: Any) -> celery.Celery:
    """The shop's Celery app, set up without Django's settings."""
    settings.CELERY_BROKER_URL = ""
    app = celery.Celery("elsewhere", set_as_current=False)
    monkeypatch.setattr(celery, "current_app", app)
    return app


def test_the_setting_comes_first(settings: Any) -> None:
    settings.IMGREC = {"redis_url": OURS}
    settings.CELERY_BROKER_URL = THEIRS
    assert redis_url() == OURS


def test_then_djangos_setting_of_the_broker(settings: Any, shops_celery: celery.Celery) -> None:
    shops_celery.conf.broker_url = OURS
    settings.CELERY_BROKER_URL = THEIRS
    assert redis_url() == THEIRS


@pytest.mark.parametrize(
    ("broker", "found"),
    [
        (THEIRS, THEIRS),
        (f"amqp://theirs;{THEIRS};{OURS}", THEIRS),
        (["amqp://theirs", THEIRS], THEIRS),
        ("amqp://theirs", ""),
        (None, ""),
    ],
)
@pytest.mark.parametrize("in_django", ["", "amqp://theirs"])
def test_then_the_broker_of_the_celery_app(
    settings: Any, shops_celery: celery.Celery, in_django: str, broker: Any, found: str
) -> None:
    settings.CELERY_BROKER_URL = in_django
    shops_celery.conf.broker_url = broker
    assert redis_url() == found


def test_the_address_written_to_counts(shops_celery: celery.Celery) -> None:
    shops_celery.conf.broker_url = "amqp://theirs"
    shops_celery.conf.broker_write_url = THEIRS
    assert redis_url() == THEIRS


def test_no_celery_app_is_not_configured_by_asking(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.CELERY_BROKER_URL = ""
    none = celery.Celery("default", set_as_current=False)
    monkeypatch.setattr(celery, "current_app", none)
    assert redis_url() == ""
    assert not none.configured
