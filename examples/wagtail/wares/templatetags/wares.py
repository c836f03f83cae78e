"""``{% load wares %}``: from images to the products that they show."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from wagtail.images.models import Image

from wares.models import ProductPage, with_images

register = template.Library()


@register.filter
def products(images: Sequence[Image]) -> list[ProductPage]:
    """Return a product of each image, in their order; of several with one image, the oldest."""
    pages = with_images(ProductPage.objects.filter(image__in=[each.pk for each in images]))
    of_image = {page.image_id: page for page in pages.order_by("-pk")}
    return [of_image[each.pk] for each in images if each.pk in of_image]
