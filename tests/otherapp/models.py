"""A second app with a model of the same name: the two must never meet."""

from __future__ import annotations

from django.db import models

from imgrec import ImageEmbeddingField, SimilarityQuerySet


class Product(models.Model):
    """Everything about it is visible and recommended."""

    photo = models.ImageField(upload_to="other", blank=True)
    embedding = ImageEmbeddingField(source="photo")

    objects = SimilarityQuerySet.as_manager()

    def __str__(self) -> str:
        return f"other product {self.pk}"
