"""Shops in many shapes: every behaviour of imgrec is tested over all of them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from imgrec import Embedding, ImageEmbeddingField, SimilarityQuerySet
from imgrec.testing import ColourGrid


class Product(models.Model):
    """The ordinary shop: an integer key, the photo on the product."""

    title = models.CharField(max_length=200, blank=True)
    photo = models.ImageField(upload_to="products", blank=True)
    published = models.BooleanField(default=True)
    stock = models.PositiveIntegerField(default=1)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    tags: models.ManyToManyField[Tag, Any] = models.ManyToManyField("Tag", blank=True)
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="variants"
    )
    embedding = ImageEmbeddingField(
        source="photo", visible=Q(published=True), recommend=Q(stock__gt=0)
    )

    objects = SimilarityQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title


class Tag(models.Model):
    """For filters that join many rows to one product."""

    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class LimitedProduct(Product):
    """A multi-table child: its photo is its parent's."""

    edition = models.PositiveIntegerField(default=1)


class BargainProduct(Product):
    """A proxy: another class, the same rows."""

    class Meta:
        proxy = True


class UuidProduct(models.Model):
    """A key that is no integer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    photo = models.ImageField(upload_to="uuid", blank=True)
    published = models.BooleanField(default=True)
    stock = models.PositiveIntegerField(default=1)
    embedding = ImageEmbeddingField(
        source="photo", visible=Q(published=True), recommend=Q(stock__gt=0)
    )

    objects = SimilarityQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.pk)


class Item(models.Model):
    """A product with many photos."""

    title = models.CharField(max_length=200, blank=True)
    published = models.BooleanField(default=True)
    stock = models.PositiveIntegerField(default=1)

    objects = SimilarityQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title


class ItemPhoto(models.Model):
    """One of an item's photos."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="photos")
    image = models.ImageField(upload_to="items", blank=True)
    embedding = ImageEmbeddingField(
        source="image", item="item", visible=Q(published=True), recommend=Q(stock__gt=0)
    )

    def __str__(self) -> str:
        return str(self.image)


class Photographed(models.Model):
    """An abstract base that declares the field; each child has a space of its own."""

    photo = models.ImageField(upload_to="photographed", blank=True)
    published = models.BooleanField(default=True)
    stock = models.PositiveIntegerField(default=1)
    embedding = ImageEmbeddingField(
        source="photo", visible=Q(published=True), recommend=Q(stock__gt=0)
    )

    objects = SimilarityQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class Poster(Photographed):
    """One child of the abstract base."""


class Postcard(Photographed):
    """Another child of the abstract base."""


class TwoSpaces(models.Model):
    """Two encoders side by side, of different dimensions."""

    photo = models.ImageField(upload_to="two", blank=True)
    published = models.BooleanField(default=True)
    stock = models.PositiveIntegerField(default=1)
    fine = ImageEmbeddingField(
        source="photo",
        visible=Q(published=True),
        recommend=Q(stock__gt=0),
        embedder=ColourGrid(),
    )
    coarse = ImageEmbeddingField(
        source="photo",
        visible=Q(published=True),
        recommend=Q(stock__gt=0),
        embedder=ColourGrid(cells=2),
    )

    objects = SimilarityQuerySet.as_manager()

    def __str__(self) -> str:
        return f"two spaces {self.pk}"


class Artwork(models.Model):
    """Stands for a model of somebody else's app, which the shop cannot add a field to."""

    title = models.CharField(max_length=200, blank=True)
    published = models.BooleanField(default=True)
    stock = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.title


class ArtworkImage(models.Model):
    """A photo of such a model."""

    artwork = models.ForeignKey(Artwork, on_delete=models.CASCADE, related_name="images")
    original = models.ImageField(upload_to="artworks", blank=True)

    def __str__(self) -> str:
        return str(self.original)


class ArtworkImageEmbedding(Embedding):
    """The explicit form, for models the shop does not own."""

    class Imgrec:
        model = "testapp.ArtworkImage"
        source = "original"
        item = "artwork"
        visible = Q(published=True)
        recommend = Q(stock__gt=0)
