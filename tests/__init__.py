"""The tests, laid out as a project: its Celery app is loaded with it, as Celery's guide says."""

from tests.celery import app as celery_app

__all__ = ["celery_app"]
