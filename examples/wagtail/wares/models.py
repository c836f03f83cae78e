"""Shelves and products as Wagtail's pages, and vectors of the products' images."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from wagtail.admin.panels import FieldPanel
from wagtail.models import Page

from imgrec import Embedding
from wares.rules import shown

NEWEST = 24


class ShelfPage(Page):
    """Shows the products below it, those of other shelves below it included."""

    subpage_types = ["wares.ShelfPage", "wares.ProductPage"]

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Add the newest products, and the shelves right below."""
        below = ProductPage.objects.descendant_of(self).order_by("-first_published_at", "-pk")
        return {
            **super().get_context(request, *args, **kwargs),
            "shelves": ShelfPage.objects.child_of(self).filter(shown()),
            "products": with_images(below)[:NEWEST],
        }


class ProductPage(Page):
    """One product with one image."""

    image = models.ForeignKey(
        "wagtailimages.Image", models.SET_NULL, null=True, related_name="product_pages"
    )
    price = models.DecimalField(max_digits=8, decimal_places=2)
    description = models.TextField(blank=True)

    content_panels = [*Page.content_panels, *map(FieldPanel, ("image", "price", "description"))]
    parent_page_types = ["wares.ShelfPage"]
    subpage_types: list[str] = []


class IsOfShownProduct:
    """Whether an image is that of a product that everybody may see.

    Put together when it is asked: in the body of a class not all models are there yet.
    """

    conditional = True

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        """Called by Django, for each query."""
        pages = ProductPage.objects.filter(shown(), image=OuterRef("pk"))
        return Exists(pages).resolve_expression(*args, **kwargs)


class ImageEmbedding(Embedding):
    """One image's vector, in a table of this app: Wagtail's migrations stay as they are."""

    class Imgrec:
        model = "wagtailimages.Image"
        source = "file"
        visible = Q(IsOfShownProduct())
        embedder = "imgrec.embedders.EfficientNetLite0"  # its weights come with a package


def with_images(pages: QuerySet[ProductPage]) -> QuerySet[ProductPage]:
    """Return the pages that everybody may see, with images and renditions in two more SELECTs."""
    return pages.filter(shown()).select_related("image").prefetch_related("image__renditions")
