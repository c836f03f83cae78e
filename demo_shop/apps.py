"""The project around the shop: its commands and its Celery app."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class DemoShopConfig(AppConfig):
    name = "demo_shop"

    def ready(self) -> None:
        # Not in demo_shop/__init__.py, where Celery's guide puts it: code that only borrows a
        # module of this package shall not get the shop's Celery app with it.
        import_module("demo_shop.celery")
