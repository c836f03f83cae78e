"""``manage.py fill_recommendations``: oscar's recommended products from imgrec's lists."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lookalikes.recommending import fill, forget_filled


class Command(BaseCommand):
    help = "Recommend look-alikes for every product without picks of its own; run it nightly."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, default=6, help="for each product, default 6")
        parser.add_argument("--forget", action="store_true", help="only take back what was filled")

    def handle(self, *, limit: int, forget: bool, **options: Any) -> None:
        if forget:
            forget_filled()
            self.stdout.write("Only merchants' own picks are left.")
            return
        self.stdout.write(f"{fill(limit)} recommendations filled.")
