"""A small real shop, made to show imgrec at work: ``python manage.py demo``.

The Celery app is imported here so that tasks started from the web process find the shop's broker.
"""

from demo_shop.celery import app as celery_app

__all__ = ["celery_app"]
