"""After a flush the tests' database is as if just migrated."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal

from imgrec.models import Space

pytestmark = pytest.mark.django_db(transaction=True)


def held() -> dict[str, list[Any]]:
    """Return what apps make when they are migrated."""
    permissions = Permission.objects.values_list("content_type__model", "codename")
    spaces = Space.objects.values_list("label", "item_model", "table", "is_served")
    return {"permissions": sorted(permissions), "spaces": sorted(spaces)}


def test_a_flush_puts_back_what_apps_would_make() -> None:
    call_command("flush", interactive=False, verbosity=0)
    put_back = held()
    call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)
    assert held() == {"permissions": [], "spaces": []}
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert put_back == held()
