"""A Wagtail shop with imgrec on the images of its products."""

from wagtail_shop.celery import app as celery_app

__all__ = ["celery_app"]
