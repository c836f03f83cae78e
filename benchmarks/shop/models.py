"""Products with columns that filters of known shares can be asked of."""

from __future__ import annotations

from django.db import models

from imgrec import ImageEmbeddingField, SimilarityQuerySet
from imgrec.testing import ColourGrid


class Product(models.Model):
    """One product, one photo, one vector of 512 dimensions.

    ``share``: 0 to 9,999, evenly spread and independent of looks: ``share__lt=500`` are 5 %.
    ``category``: 0 (the largest, about 23 %) to 99; products of one category look alike.
    """

    title = models.CharField(max_length=200)
    photo = models.ImageField(upload_to="products")
    published = models.BooleanField(default=True)
    share = models.IntegerField(db_index=True)
    category = models.IntegerField(db_index=True)
    embedding = ImageEmbeddingField(
        source="photo",
        visible=models.Q(published=True),
        embedder=ColourGrid(dimensions=512),  # vectors are made up: nothing is ever embedded
    )

    objects = SimilarityQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title
