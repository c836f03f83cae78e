"""A page with pictures, for people: the worst lists first, or those that change most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.template.loader import render_to_string
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _

from imgrec.evaluation import thumbnails
from imgrec.evaluation.figures import figure_rows
from imgrec.evaluation.measuring import Agreement, Evaluation

TEMPLATE = "imgrec/evaluation/page.html"

# Told how many photos are read, of how many.
Watch = Callable[[int, int], object]


@dataclass(frozen=True)
class Product:
    """A product on the page."""

    title: str
    photo: str
    label: str


@dataclass(frozen=True)
class Shown:
    """A product in a list, and what is to be said of it there."""

    product: Product
    similarity: str
    is_wrong: bool  # another label than the product asked
    is_new: bool  # not in the other space's list


@dataclass(frozen=True)
class Row:
    """The list of one space; ``score`` is its average precision, "" without a label."""

    space: str
    score: str
    results: list[Shown]


@dataclass(frozen=True)
class Asked:
    """A product and its lists, one of each space; ``shared`` is said of two."""

    product: Product
    rows: list[Row]
    shared: str


def page(
    found: Sequence[Evaluation],
    agreement: Agreement | None = None,
    *,
    worst: int,
    watch: Watch = lambda done, total: None,
) -> str:
    """Return the whole page as HTML, with its pictures inside.

    Args:
        found: one space, or two that ``agreement`` compares.
        worst: how many lists are shown.
    """
    order = agreement.changed_first() if agreement else found[0].worst_first()
    chosen = order[:worst]
    products = _products(found, chosen, watch)
    told = figure_rows(found, agreement)
    values = {
        "language": get_language() or "en",
        "direction": "rtl" if get_language_bidi() else "ltr",
        "spaces": [each.catalogue.space.label for each in found],
        "version": [each.catalogue.version for each in found],
        "figures": told,
        "worst_labels": found[0].worst_labels(),
        "label": found[0].labelled.path if found[0].labelled else "",
        "lists": [_asked(found, agreement, row, products) for row in chosen],
        "total": len(found[0].ranked.own),
        "k": found[0].k,
    }
    return render_to_string(TEMPLATE, values)


def _products(found: Sequence[Evaluation], rows: Sequence[int], watch: Watch) -> dict[Any, Product]:
    """Return every product that is on the page, by key."""
    keys: dict[Any, None] = {}
    for row in rows:
        for each in found:
            keys[each.ranked.items[each.ranked.own[row]]] = None
            keys.update(dict.fromkeys(each.ranked.keys(row)))
    space, version = found[0].catalogue.space, found[0].catalogue.version
    names = thumbnails.names_of(space, version, keys)
    titles, labels = _titles(found[0], keys), _labels(found[0])
    products = {}
    for done, key in enumerate(keys, 1):
        photo = thumbnails.thumbnail(space, names.get(key, ""))
        products[key] = Product(titles.get(key, str(key)), photo, labels.get(key, ""))
        watch(done, len(keys))
    return products


def _titles(found: Evaluation, keys: dict[Any, None]) -> dict[Any, str]:
    space = found.catalogue.space
    rows = space.item_model._base_manager.using(space.using)
    path = str(space.item_model._meta.pk.name)
    return {space.item_key(each): str(each) for each in rows.filter(**{f"{path}__in": list(keys)})}


def _labels(found: Evaluation) -> dict[Any, str]:
    if found.labelled is None:
        return {}
    return dict(zip(found.ranked.items.tolist(), found.labelled.names, strict=True))


def _asked(
    found: Sequence[Evaluation],
    agreement: Agreement | None,
    row: int,
    products: dict[Any, Product],
) -> Asked:
    key = found[0].ranked.items[found[0].ranked.own[row]]
    lists = [set(each.ranked.keys(row)) for each in found]
    rows = [
        _row(each, row, products, lists[1 - i] if agreement else None)
        for i, each in enumerate(found[:2])
    ]
    shared = ""
    if agreement and not np.isnan(agreement.overlap[row]):
        shared = _("%(n)d of %(k)d shared") % {
            "n": len(lists[0] & lists[1]),
            "k": max(map(len, lists)),
        }
    return Asked(products[key], rows, shared)


def _row(found: Evaluation, row: int, products: dict[Any, Product], other: set[Any] | None) -> Row:
    labelled = found.labelled
    score = "" if labelled is None else f"{labelled.average_precision[row]:.2f}"
    shown = []
    for place, key in enumerate(found.ranked.keys(row)):
        shown.append(
            Shown(
                product=products[key],
                similarity=f"{max(0.0, float(found.ranked.similarities[row, place])):.2f}",
                is_wrong=labelled is not None and not labelled.hits[row, place],
                is_new=other is not None and key not in other,
            )
        )
    return Row(found.catalogue.space.label, "" if score == "nan" else score, shown)
