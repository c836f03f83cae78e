"""``manage.py prepare``: tables, an editor's account, and wares where there are none."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand

from demo_shop.running.folder import ADMIN_NAME, DataFolder
from wares.drawn import draw
from wares.models import ShelfPage


class Command(BaseCommand):
    help = "Prepare the shop's database. Safe to run again: what is there stays as it is."

    def handle(self, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        users = get_user_model()._default_manager
        if not users.filter(username=ADMIN_NAME).exists():
            password = DataFolder(settings.DATA_DIR).admin_password
            users.create_superuser(
                username=ADMIN_NAME, email="admin@example.com", password=password
            )
        if not ShelfPage.objects.exists():
            self.stdout.write(f"{draw()} products drawn.")
