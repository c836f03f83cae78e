"""What may be shown beside one product."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from imgrec.among import candidates
from imgrec.seeds import is_visible
from imgrec.spaces import SpaceDefinition
from imgrec.sql import Part
from imgrec.visibility import item_path, recommendable


class Choice:
    """The products that may be shown beside one; put together only if somebody asks."""

    def __init__(self, space: SpaceDefinition, key: Any, among: QuerySet[Any] | None) -> None:
        self.space = space
        self.key = key
        self.among = candidates(space, among)

    @cached_property
    def using(self) -> str:
        """Alias of the database to read."""
        return self.among.db

    @cached_property
    def rows(self) -> QuerySet[Any]:
        """The products to choose from."""
        others = self.among.exclude(**{item_path(self.space): self.key})
        return recommendable(self.space, others)

    @cached_property
    def shown(self) -> Part:
        """The condition for the product to be a seed."""
        return is_visible(self.space, self.key, self.using)
