"""Visually similar products for every Django shop.

I have a shop whose products have photos. I add one line::

    class Product(models.Model):
        photo = models.ImageField(upload_to="products", blank=True)
        published = models.BooleanField(default=True)
        stock = models.PositiveIntegerField(default=0)
        embedding = ImageEmbeddingField(
            source="photo", visible=Q(published=True), recommend=Q(stock__gt=0)
        )
        objects = SimilarityQuerySet.as_manager()

I want its look-alikes on the product page::

    {% load imgrec %}
    {% similar_products product limit=8 %}

or in Python::

    similar_products(product, limit=8)                       # stored list, then live search
    similar_to_photo(uploaded_file, model=Product, limit=8)  # embedded by a worker
    similar_to_part(product, (0.1, 0.5, 0.3, 0.4))           # like this part of its photo
    explain(product, other)                                  # which regions made the score
    Product.objects.filter(brand=b).similar_to(product)[:8]  # plain SQL, composes

A Celery worker (``celery -A shop worker -Q imgrec``) embeds a photo when it is saved.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imgrec.fields import ImageEmbeddingField
    from imgrec.models import Embedding
    from imgrec.parts import similar_to_part
    from imgrec.queryset import SimilarityQuerySet
    from imgrec.receivers import paused
    from imgrec.similar import similar_products, similar_to_photo
    from imgrec.why import explain

__version__ = "0.1.0"

__all__ = [
    "Embedding",
    "ImageEmbeddingField",
    "SimilarityQuerySet",
    "__version__",
    "explain",
    "paused",
    "similar_products",
    "similar_to_part",
    "similar_to_photo",
]

_ROOMS = {
    "Embedding": "imgrec.models",
    "ImageEmbeddingField": "imgrec.fields",
    "SimilarityQuerySet": "imgrec.queryset",
    "explain": "imgrec.why",
    "paused": "imgrec.receivers",
    "similar_products": "imgrec.similar",
    "similar_to_part": "imgrec.parts",
    "similar_to_photo": "imgrec.similar",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use: models cannot be imported before Django's app registry."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'imgrec' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)
