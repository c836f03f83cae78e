"""``ImageEmbeddingField``: one line on the model that owns the photos."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.signals import class_prepared

from imgrec.embedders import Embedder


class ImageEmbeddingField:
    """Keeps a vector of the model's photo, in a table of its own, and lists of look-alikes.

    Not a column: ``product.embedding`` is the vector's row, as a one-to-one relation.

    Args:
        source: name of the ``ImageField`` (or ``FileField``) on this model.
        item: name of the foreign key to the product, when products have many photos.
        visible: which items may be seen at all, as seed and as result; written from the item.
        recommend: which items may be results; written from the item.
        embedder: dotted path or instance of an encoder; default ``IMGREC["embedder"]``.
    """

    def __init__(
        self,
        *,
        source: str,
        item: str = "",
        visible: models.Q | None = None,
        recommend: models.Q | None = None,
        embedder: str | Embedder | None = None,
    ) -> None:
        self.options: dict[str, Any] = {
            "source": source,
            "item": item,
            "visible": visible,
            "recommend": recommend,
            "embedder": embedder,
        }

    def contribute_to_class(self, cls: type[models.Model], name: str) -> None:
        """Called by Django: wait for the class to be whole, it may be abstract."""
        setattr(cls, name, self)

    def build(self, owner: type[models.Model], name: str) -> None:
        """Make the space's tables for a concrete model."""
        from imgrec.models import Embedding
        from imgrec.tables import EmbeddingBase

        meta = owner._meta
        words = "".join(word.title() for word in name.split("_"))
        options = {
            **self.options,
            "model": owner,
            "related_name": name,
            "label": f"{meta.app_label}.{meta.model_name}.{name}",
        }
        attrs = {
            "__module__": owner.__module__,
            "__doc__": f"Vectors of {options['label']}.",
            "Imgrec": type("Imgrec", (), options),
            "Meta": type("Meta", (), {"app_label": meta.app_label}),
        }
        EmbeddingBase(f"{owner.__name__}{words}", (Embedding,), attrs)


def _declared(model: type[models.Model]) -> dict[str, ImageEmbeddingField]:
    """Return the fields still to build: not those a concrete parent has built already."""
    seen: dict[str, Any] = {}
    for base in model.__mro__:
        for name, value in vars(base).items():
            seen.setdefault(name, value)
    return {name: v for name, v in seen.items() if isinstance(v, ImageEmbeddingField)}


def _build_declared(sender: type[models.Model], **kwargs: Any) -> None:
    if sender._meta.proxy or sender._meta.abstract:
        return
    for name, field in _declared(sender).items():
        field.build(sender, name)


class_prepared.connect(_build_declared, dispatch_uid="imgrec.fields")
