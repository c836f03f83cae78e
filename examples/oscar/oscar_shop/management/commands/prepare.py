"""``manage.py prepare``: tables, a merchant's account, and wares where there are none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import oscar
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction

from demo_shop.running.folder import ADMIN_NAME, DataFolder
from oscar_shop.drawn import Product, draw

MAIL = "admin@example.com"  # oscar's customers log in by address


class Command(BaseCommand):
    help = "Prepare the shop's database. Safe to run again: what is there stays as it is."

    def handle(self, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        users = get_user_model()._default_manager
        if not users.filter(username=ADMIN_NAME).exists():
            password = DataFolder(settings.DATA_DIR).admin_password
            users.create_superuser(username=ADMIN_NAME, email=MAIL, password=password)
        _store_missing_image()
        if not Product.objects.exists():
            self._fill()

    @transaction.atomic  # all or nothing: who is interrupted gets them at the next start
    def _fill(self) -> None:
        self.stdout.write(f"{draw()} products drawn.")
        # a product is indexed when it is saved, before it is on a shelf
        call_command("update_index", verbosity=0)


def _store_missing_image() -> None:
    """Put oscar's picture for products without one where thumbnails are made from."""
    name = settings.OSCAR_MISSING_IMAGE_URL
    source = Path(oscar.__file__).parent / "static" / "oscar" / "img" / name
    Path(settings.MEDIA_ROOT).mkdir(parents=True, exist_ok=True)
    if source.exists():
        shutil.copyfile(source, Path(settings.MEDIA_ROOT) / name)
