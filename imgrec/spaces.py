"""The spaces a project declares: one field, one encoder, one table of vectors, one of lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models, router

from imgrec.embedders import Embedder


@dataclass(frozen=True, eq=False)
class SpaceDefinition:
    """What a declared field says, and the models made for it."""

    label: str
    model: type[models.Model]  # the model whose rows own a photo
    source: str  # its image field
    item: str  # its foreign key to the item, or "" when the row is the item
    item_model: type[models.Model]
    visible: models.Q | None
    recommend: models.Q | None
    embedder: Embedder
    embedding_model: Any
    list_model: Any

    @property
    def using(self) -> str:
        """Alias of the database that holds the vectors and the jobs."""
        return router.db_for_write(self.embedding_model)

    @property
    def item_column(self) -> str:
        """Look-up from a vector's row to the item's key."""
        return f"owner__{self.item}" if self.item else "owner"

    @property
    def reverse(self) -> str:
        """Look-up from the row that owns the photo to its vector's row."""
        return str(self.embedding_model._meta.get_field("owner").related_query_name())

    @property
    def item_field(self) -> Any:
        """The foreign key to the item, where ``item`` names one."""
        return self.model._meta.get_field(self.item)

    def has_source(self) -> bool:
        """Return whether ``source`` names a field at all."""
        return self.source in {field.name for field in self.model._meta.get_fields()}

    @property
    def source_field(self) -> Any:
        """The image field itself."""
        return self.model._meta.get_field(self.source)

    def item_key(self, instance: models.Model) -> Any:
        """Return an item's key; a child of the item's model may have a primary key of its own."""
        return getattr(instance, self.item_model._meta.pk.attname)

    def owner_key(self, instance: models.Model) -> Any:
        """Return the key of a row that owns a photo, be it of a child of its model."""
        return getattr(instance, self.model._meta.pk.attname)


_spaces: dict[str, SpaceDefinition] = {}
_complaints: dict[str, str] = {}


def register(definition: SpaceDefinition) -> None:
    """Make a space known, once its models are."""
    _spaces[definition.label] = definition


def complain(label: str, item: str) -> None:
    """Remember that ``item=`` is no foreign key, for the checks."""
    _complaints[label] = item


def complaints() -> dict[str, str]:
    """Return the ``item=`` of each space that names no foreign key."""
    return dict(_complaints)


def all_spaces() -> list[SpaceDefinition]:
    """Return every declared space, in the order of declaration."""
    return list(_spaces.values())


def space_by_label(label: str) -> SpaceDefinition | None:
    """Return the space of that label (``"shop.product.embedding"``), or None."""
    return _spaces.get(label)


def spaces_of(model: type[models.Model]) -> list[SpaceDefinition]:
    """Return the spaces whose items are of ``model``: itself, a proxy or a child of theirs."""
    return [each for each in _spaces.values() if issubclass(model, each.item_model)]


def spaces_fed_by(model: type[models.Model]) -> list[SpaceDefinition]:
    """Return the spaces whose photos are on ``model``: itself, a proxy or a child of theirs."""
    return [each for each in _spaces.values() if issubclass(model, each.model)]
