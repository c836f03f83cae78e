"""Fills oscar's own recommended products from imgrec's lists, and leaves merchants' picks alone."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F
from oscar.core.loading import get_model

from imgrec import similar_products
from lookalikes.families import canonical, photographed
from lookalikes.models import FilledRecommendation

Product = get_model("catalogue", "Product")
ProductRecommendation = get_model("catalogue", "ProductRecommendation")

# Children are folded onto their parents: of a list so many times as long enough are left.
AHEAD = 6


@transaction.atomic
def fill(limit: int) -> int:
    """Recommend ``limit`` look-alikes for each product that nobody picked any for.

    What an earlier call filled in is replaced. Returns the number of recommendations.
    """
    forget_filled()
    left = Product.objects.browsable().filter(primary_recommendations=None)
    return sum(_fill_one(product, limit) for product in left.order_by("pk").iterator())


def forget_filled() -> None:
    """Take back what was filled in, unless a merchant has made it a pick by changing it."""
    filled = FilledRecommendation.objects.filter(recommendation__recommendation=F("filled_with"))
    ProductRecommendation.objects.filter(pk__in=filled.values("pk")).delete()
    FilledRecommendation.objects.all().delete()


def look_alikes(product: Any, limit: int) -> list[Any]:
    """Return products that stand in listings, from the stored list, the most similar first."""
    found = similar_products(photographed(product), limit=limit * AHEAD)
    folded = {each.pk: each for each in map(canonical, found)}
    folded.pop(product.pk, None)
    return list(folded.values())[:limit]


def _fill_one(product: Any, limit: int) -> int:
    rows = ProductRecommendation.objects.bulk_create(
        # the higher, the earlier
        ProductRecommendation(primary=product, recommendation=each, ranking=limit - place)
        for place, each in enumerate(look_alikes(product, limit))
    )
    FilledRecommendation.objects.bulk_create(
        FilledRecommendation(recommendation=row, filled_with_id=row.recommendation_id)
        for row in rows
    )
    return len(rows)
