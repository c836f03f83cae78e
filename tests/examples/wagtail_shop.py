"""The Wagtail example as its reader starts it."""

from __future__ import annotations

import re

from tests.examples.example_shop import EXAMPLES, ExampleShop

_PRODUCTS = (
    "SELECT page.id, page.url_path, product.image_id FROM wagtailcore_page AS page"
    " JOIN wares_productpage AS product ON product.page_ptr_id = page.id WHERE page.title = %s"
)


class WagtailShop(ExampleShop):
    """A running Wagtail shop; its editor has an ``account``."""

    here = EXAMPLES / "wagtail"
    project = "wagtail_shop"
    opened = re.compile(r"Shop (http://\S+)/  .*\nAccount (\S+) / (\S+)\. ")

    @property
    def account(self) -> tuple[str, str]:
        """Name and password of the editor, as it printed them."""
        return self.said[2], self.said[3]

    def product(self, title: str) -> tuple[int, str, int]:
        """Return the key of a product's page, its path, and the key of its image."""
        ((pk, path, image),) = self.sql(_PRODUCTS, title)
        return pk, path.removeprefix("/shop"), image
