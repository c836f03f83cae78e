"""Where a model of products keeps its category and its price: paths that the settings name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.db.models import F
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from imgrec.conf import settings


@dataclass(frozen=True)
class Path:
    """A look-up such as ``"category"`` or ``"brand__name"``, and the column at its end."""

    name: str
    column: Any

    def value(self, text: str) -> Any:
        """Return what a text stands for. Raises ``ValueError`` when it cannot be one."""
        try:
            found = self.column.to_python(text)
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from error
        if found is None or found == "":
            raise ValueError(f"{text!r} is no value of {self.name}.")
        return found

    def text(self, value: Any) -> str:
        """Return a value as PostgreSQL casts it to text, so that rules find it."""
        return str(value).lower() if isinstance(value, bool) else str(value)


def category_of(model: type[models.Model]) -> Path | None:
    """Return where a model's products have their category; None: the settings name none."""
    return _path(model, settings.category)


def price_of(model: type[models.Model]) -> Path | None:
    """Return where a model's products have their price; None: the settings name none."""
    return _path(model, settings.price)


def _path(model: type[models.Model], named: dict[str, str]) -> Path | None:
    wanted = model._meta.label_lower
    name = next((path for label, path in named.items() if label.lower() == wanted), "")
    if not name or not leads_somewhere(model, name):
        return None  # imgrec.E012 says so: no page breaks by it
    return Path(name, column_of(model, name))


@cache
def leads_somewhere(model: type[models.Model], path: str) -> bool:
    """Return whether a path leads over the model's own columns and foreign keys."""
    try:
        check_path(model, path)
    except ValueError:
        return False
    return True


def check_path(model: type[models.Model], path: str, *, option: str = "group_by=") -> None:
    """Raise ``ValueError`` unless a path leads over the item's own columns and forward keys."""
    here: Any = model
    for name in path.split("__"):
        try:
            found = here._meta.get_field(name) if here else None
        except FieldDoesNotExist:
            found = None
        if found is None or not getattr(found, "concrete", False) or found.many_to_many:
            fields = here._meta.concrete_fields if here else []
            known = ", ".join(each.name for each in fields) or "nothing further"
            raise ValueError(
                f"{option}{path!r}: {name!r} is no column of {model._meta.label}, nor one over a"
                f" foreign key of its. There: {known}."
            )
        here = found.related_model if found.is_relation else None


def column_of(model: type[models.Model], path: str) -> Any:
    """Return the field at the end of a path; of a foreign key the field that it points to."""
    here: Any = model
    found: Any = None
    for name in path.split("__"):
        found = here._meta.get_field(name)
        here = found.related_model
    while found.is_relation:
        found = found.target_field
    return found


def group_of(model: type[models.Model], path: str) -> Combinable:
    """Return what tells a product's group: the value at the end of the path.

    Where the path leads from variants to their parent, a row of the same model, a product without
    a parent is the head of its own group: it and its variants are one.
    """
    field = model._meta.get_field(path.split("__")[0])
    key = model._meta.pk
    is_own_kind = "__" not in path and field.related_model is model
    if is_own_kind and getattr(field, "target_field", None) is key:
        return Coalesce(F(path), F("pk"))
    return F(path)
