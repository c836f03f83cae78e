"""A second app with a model of the same name: the two must never meet."""

from __future__ import annotations

from django.db import models

from imgrec import ImageEmbeddingField, SimilarityQuerySet


class Product(models.Model):
    """The same fields, too, under the same name."""

    photo = models.ImageField(upload_to="other", blank=True)
    published = models.BooleanField(default=True)
    stock = models.PositiveIntegerField(default=1)
    embedding = ImageEmbeddingField(
        source="photo",
        visible=models.Q(published=True),
        recommend=models.Q(stock__gt=0),
    )

    objects = SimilarityQuerySet.as_manager()

    def __str__(self) -> str:
        return f"other product {self.pk}"
