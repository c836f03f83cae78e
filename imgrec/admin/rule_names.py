"""Rules in words: products and categories by their names, looked up for many rules at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.contrib.admin import AdminSite
from django.db import models

from imgrec.admin.addresses import change_url
from imgrec.admin.rule_forms import item_models, key_path
from imgrec.paths import category_of
from imgrec.rules import Rule


class Named(NamedTuple):
    """What a rule is about, for people; ``url``: its change page, or ""."""

    title: str
    url: str = ""


# model, kind, value as text
Place = tuple[str, str, str]


def named(rules: Iterable[Rule], site: AdminSite) -> dict[Place, Named]:
    """Return the names of what some rules are about. At most two SELECTs a model."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for rule in rules:
        for kind, value in ((rule.target, rule.target_value), (rule.beside, rule.beside_value)):
            wanted.setdefault((rule.item_model, kind), set()).add(value)
    found: dict[Place, Named] = {}
    for (label, kind), values in wanted.items():
        model = item_models().get(label)
        rows = _rows(model, kind, values) if model else {}
        for value, row in rows.items():
            found[label, kind, value] = Named(str(row), change_url(row, site))
    return found


def _rows(model: type[models.Model], kind: str, values: set[str]) -> dict[str, Any]:
    if kind == "product":
        return _by_text(model._base_manager.all(), key_path(model), values)
    category = category_of(model) if kind == "category" else None
    if category is None or category.column.model is model or not category.column.primary_key:
        return {}
    return _by_text(category.column.model._base_manager.all(), category, values)


def _by_text(rows: Any, path: Any, values: set[str]) -> dict[str, Any]:
    keys = {}
    for text in values:
        try:
            keys[path.value(text)] = text
        except ValueError:
            continue
    return {keys[row.pk]: row for row in rows.filter(pk__in=list(keys)) if row.pk in keys}
