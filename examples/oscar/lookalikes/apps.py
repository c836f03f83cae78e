"""The shop's app for what imgrec adds to oscar."""

from django.apps import AppConfig


class LookalikesConfig(AppConfig):
    name = "lookalikes"
    verbose_name = "Look-alikes"
