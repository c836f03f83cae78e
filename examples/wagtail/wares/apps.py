"""The shop's pages, and vectors of their images."""

from django.apps import AppConfig


class WaresConfig(AppConfig):
    name = "wares"
