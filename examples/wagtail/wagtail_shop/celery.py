"""The shop's Celery app: ``celery -A wagtail_shop worker -Q imgrec``."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wagtail_shop.settings")

app = Celery("wagtail_shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
