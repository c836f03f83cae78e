"""What the list of similar products is rendered from, with the page or after it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zlib import crc32

from django.db import models, router
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from imgrec import hints
from imgrec.cards import Card, cards_of
from imgrec.fragments import Fragment
from imgrec.results import SimilarProducts

TEMPLATE = "imgrec/similar_products.html"
# Empty cards that hold a list's place: more than fill a window serve nobody.
MOST_PLACES = 24


def list_values(
    product: models.Model,
    found: SimilarProducts,
    title: str,
    *,
    show_similarity: bool,
    show_why: bool = False,
    is_rescue: bool = False,
    show_match: bool = False,
) -> dict[str, Any]:
    """Return what ``TEMPLATE`` gets beside what the page has."""
    title = heading(title, is_rescue=is_rescue)
    return {
        "cards": _with_places(cards_of(found), product, found) if show_why else cards_of(found),
        "title": title,
        "heading_id": heading_id(product, title, *(each.pk for each in found)),
        "show_similarity": show_similarity,
        "is_rescue": is_rescue,
        "show_match": show_match,
        # asked once for each card instead of three times
        "has_notes": show_similarity or show_match or show_why,
        "seed": product,
    }


def _with_places(cards: list[Card], product: models.Model, found: SimilarProducts) -> list[Card]:
    """Add where each is like the product, as far as that is known."""
    using = found[0]._state.db or router.db_for_read(type(product))
    known = hints.places(product, found, using)
    return [
        replace(each, place=str(known[each.product.pk].label)) if each.product.pk in known else each
        for each in cards
    ]


def place_values(product: models.Model, asked: Fragment, **addresses: str) -> dict[str, Any]:
    """Return what the place of a list gets that comes later: empty cards and where it is."""
    title = heading(asked.title)
    return {
        "places": range(min(asked.search["limit"], MOST_PLACES)),
        "title": title,
        "heading_id": heading_id(product, title, asked.token),
        "show_similarity": asked.show_similarity,
        "show_match": asked.show_match,
        **addresses,
    }


def heading(title: str, *, is_rescue: bool = False) -> SafeString:
    """Return the title asked for as HTML, or the usual one in the language of the page.

    What a sold-out product's page offers instead has a heading of its own.
    """
    if is_rescue:
        text = gettext("Sold out – similar products you can buy")  # noqa: RUF001 - xgettext reads no \N{EN DASH}
        return conditional_escape(text)
    return conditional_escape(title or gettext("Similar products"))


def heading_id(product: models.Model, *told_apart_by: object) -> str:
    """Return an id for a heading: one page may show several lists.

    No counter: the same page must not differ from view to view.
    """
    parts = " ".join(str(each) for each in (product._meta.label, product.pk, *told_apart_by))
    return f"imgrec-{crc32(parts.encode()):08x}"
