"""Products with photos on disk."""

from __future__ import annotations

from django.db import models

from imgrec import ImageEmbeddingField


class Product(models.Model):
    """One product, one photo; the encoder is the setting's."""

    photo = models.ImageField(upload_to="photos")
    embedding = ImageEmbeddingField(source="photo")

    def __str__(self) -> str:
        return self.photo.name
