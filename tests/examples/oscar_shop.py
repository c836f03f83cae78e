"""The oscar example as its reader starts it."""

from __future__ import annotations

import re

from tests.examples.example_shop import EXAMPLES, ExampleShop


class OscarShop(ExampleShop):
    """A running django-oscar shop."""

    here = EXAMPLES / "oscar"
    project = "oscar_shop"
    opened = re.compile(r"Shop (http://\S+)/catalogue/")

    def product(self, title: str, structure: str) -> tuple[int, str]:
        """Return the key of a product and the path of its page."""
        where = "title = %s AND structure = %s"
        found = self.sql(f"SELECT id, slug FROM catalogue_product WHERE {where}", title, structure)
        pk, slug = found[0]
        return pk, f"/catalogue/{slug}_{pk}/"
