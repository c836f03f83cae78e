"""``manage.py demo_prepare``: tables, admin, products, and which space is served.

Safe to run again: what is there already stays as it is.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from demo_shop.catalogue.models import Product
from demo_shop.running.folder import ADMIN_NAME, DataFolder
from demo_shop.seeding.items import Item
from demo_shop.seeding.manifest import ManifestError
from demo_shop.seeding.sources import items_from, own_catalogue
from demo_shop.seeding.store import store_items
from demo_shop.serving import serve_what_is_here
from imgrec.progress import Progress


class Command(BaseCommand):
    help = "Prepare the demo shop's database: tables, admin, products, served space."
    _bar: Progress | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--photos", type=Path, help="a CSV manifest or a folder of pictures")

    def handle(self, *, photos: Path | None, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        self._make_admin()
        first_start = not Product.objects.exists()
        self._seed(photos, first_start=first_start)
        self.stdout.write(serve_what_is_here(first_start=first_start))

    def _make_admin(self) -> None:
        users = get_user_model()._default_manager
        if not users.filter(username=ADMIN_NAME).exists():
            password = DataFolder(settings.DATA_DIR).admin_password
            users.create_superuser(username=ADMIN_NAME, password=password)

    def _seed(self, photos: Path | None, *, first_start: bool) -> None:
        # The shop's own catalogue is for an empty shop: whoever came with photos of their own
        # last time finds just these again.
        if photos is None and not first_start:
            self.stdout.write(f"{Product.objects.count()} products are here from last time.")
            return
        try:
            items = items_from(photos) if photos else self._own_items()
            added = store_items(items, progress=self._show)
        except (ManifestError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{added} products added, {len(items) - added} were here already.")

    def _show(self, done: int, total: int) -> None:
        self._bar = self._bar or Progress(self.stderr._out, "products", total)
        self._bar.show(done, last=done == total)

    def _own_items(self) -> list[Item]:
        return own_catalogue(settings.DATA_DIR / "downloads", say=self.stdout.write)
