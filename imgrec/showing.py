"""What the list of similar products is rendered from, with the page or after it."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from django.db import models
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from imgrec.cards import cards_of
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
    show_match: bool = False,
) -> dict[str, Any]:
    """Return what ``TEMPLATE`` gets beside what the page has."""
    title = heading(title)
    return {
        "cards": cards_of(found),
        "title": title,
        "heading_id": heading_id(product, title, *(each.pk for each in found)),
        "show_similarity": show_similarity,
        "show_match": show_match,
        "seed": product,
    }


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


def heading(title: str) -> SafeString:
    """Return the title asked for as HTML, or the usual one in the language of the page."""
    return conditional_escape(title or gettext("Similar products"))


def heading_id(product: models.Model, *told_apart_by: object) -> str:
    """Return an id for a heading: one page may show several lists.

    No counter: the same page must not differ from view to view.
    """
    parts = " ".join(str(each) for each in (product._meta.label, product.pk, *told_apart_by))
    return f"imgrec-{crc32(parts.encode()):08x}"
