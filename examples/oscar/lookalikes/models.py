"""Vectors of oscar's product images, in this app's tables: oscar's migrations stay as they are."""

from __future__ import annotations

from django.db import models

from imgrec import Embedding
from lookalikes.rules import AVAILABLE, VISIBLE


class PhotoEmbedding(Embedding):
    """One product image's vector."""

    class Imgrec:
        model = "catalogue.ProductImage"
        source = "original"
        item = "product"
        visible = VISIBLE
        recommend = AVAILABLE
        embedder = "imgrec.embedders.EfficientNetLite0"  # its weights come with a package


class FilledRecommendation(models.Model):
    """Marks a recommendation that was filled in, not picked by a merchant.

    ``filled_with`` is the product it was filled with: one that a merchant has changed since is
    the merchant's.
    """

    recommendation = models.OneToOneField(
        "catalogue.ProductRecommendation", models.CASCADE, primary_key=True, related_name="+"
    )
    filled_with = models.ForeignKey("catalogue.Product", models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.filled_with} for {self.recommendation.primary}"
