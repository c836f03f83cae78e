"""The shelves shown in every page's header."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest

from demo_shop.catalogue.models import Category, Product


def categories(request: HttpRequest) -> dict[str, Any]:
    """``shelves``: categories with something to show, in a lazy queryset."""
    if request.path.startswith("/admin/"):
        return {}
    shown = Product.objects.filter(category=OuterRef("pk"), published=True)
    return {"shelves": Category.objects.filter(Exists(shown))}
