"""Tables that workers and visitors write: people look at them, and may act on what is there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.http import HttpRequest


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Nothing is added, edited or deleted here.

    Whoever was given the permission to change the rows may view them, as everywhere in the admin,
    and do what the page offers instead: see :meth:`may_act`.
    """

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def may_act(self, request: HttpRequest) -> bool:
        """Return whether the asker was given the permission to change these rows."""
        user: Any = request.user
        codename = get_permission_codename("change", self.opts)
        return bool(user.has_perm(f"{self.opts.app_label}.{codename}"))
