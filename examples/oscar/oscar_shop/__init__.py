"""A django-oscar shop with imgrec on its product images."""

from oscar_shop.celery import app as celery_app

__all__ = ["celery_app"]
