"""Drawn wares as pages: mugs, bowls and cushions, each on a shelf below the home page."""

from __future__ import annotations

from django.core.files.base import ContentFile
from wagtail.images.models import Image
from wagtail.models import Page, Site

from demo_shop.seeding.drawn.catalogue import drawn_items
from demo_shop.seeding.items import Item
from wares.models import ProductPage, ShelfPage

SHELVES = ("Mugs", "Bowls", "Cushions")


def draw() -> int:
    """Fill a Wagtail that has no page but its welcome. Returns the number of products."""
    home = _home()
    shelves = {name: home.add_child(instance=ShelfPage(title=name)) for name in SHELVES}
    for item in drawn_items():
        if item.category in shelves:
            shelves[item.category].add_child(instance=_product(item))
    return ProductPage.objects.count()


def _home() -> ShelfPage:
    """Put our home page in the place of Wagtail's welcome."""
    site = Site.objects.get(is_default_site=True)
    welcome = site.root_page
    site.root_page = Page.get_first_root_node().add_child(
        instance=ShelfPage(title="Studio Lumen", slug="shop")
    )
    site.save()
    welcome.delete()
    return site.root_page


def _product(item: Item) -> ProductPage:
    photo = ContentFile(item.photo(), name=item.photo_name)
    image = Image.objects.create(title=item.title, description=item.title, file=photo)
    return ProductPage(
        title=item.title, image=image, price=item.price_or_derived, description=item.description
    )
