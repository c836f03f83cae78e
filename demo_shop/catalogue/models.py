"""Categories and products. The two embedding lines are all that imgrec asks of a shop."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from imgrec import ImageEmbeddingField, SimilarityQuerySet

CURRENCY_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}


class Category(models.Model):
    """One shelf of the shop."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("shop:category", args=[self.slug])


class Product(models.Model):
    """One thing on sale; hidden unless published, sold out at stock 0."""

    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, blank=True)
    sku = models.CharField("SKU", max_length=100, unique=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    price = models.DecimalField(
        max_digits=10, decimal_places=2, validators=[MinValueValidator(Decimal("0"))]
    )
    currency = models.CharField(
        max_length=3, choices=[(code, code) for code in CURRENCY_SIGNS], default="EUR"
    )
    stock = models.PositiveIntegerField(default=0)
    published = models.BooleanField(default=True)
    description = models.TextField(blank=True)
    photo = models.ImageField(upload_to="products", max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Two encoders side by side: ResNet-18 where its weights are at hand, else the one whose
    # weights come with a package. Which of the two is served is a row in the database.
    embedding = ImageEmbeddingField(
        source="photo",
        visible=Q(published=True),
        recommend=Q(stock__gt=0),
        embedder="imgrec.embedders.ResNet18",
    )
    embedding_lite = ImageEmbeddingField(
        source="photo",
        visible=Q(published=True),
        recommend=Q(stock__gt=0),
        embedder="imgrec.embedders.EfficientNetLite0",
    )

    objects = SimilarityQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["-created_at", "-id"], name="shop_product_newest")]

    def __str__(self) -> str:
        return self.title

    def save(self, **kwargs: object) -> None:
        """Fill an empty slug from the title, so that every product has a readable address."""
        if not self.slug:
            self.slug = slug_of(self.title)
        super().save(**kwargs)  # type: ignore[arg-type]

    def get_absolute_url(self) -> str:
        return reverse("shop:product", args=[self.pk, self.slug])

    @property
    def price_label(self) -> str:
        """The price with its currency's sign: ``€ 24.00``."""
        return f"{CURRENCY_SIGNS.get(self.currency, self.currency)}\u202f{self.price:,.2f}"

    @property
    def sold_out(self) -> bool:
        return self.stock == 0


def slug_of(title: str) -> str:
    """A slug that is never empty, also for titles without any ASCII letter."""
    return slugify(title)[:200] or "product"
