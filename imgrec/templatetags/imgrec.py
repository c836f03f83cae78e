"""``{% load imgrec %}``: similar products in a template, without ever breaking its page."""

from __future__ import annotations

from functools import partial
from typing import Any
from zlib import crc32

from django import template
from django.db import models, router
from django.db.models import QuerySet
from django.template import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from imgrec import similar
from imgrec.cards import cards_of
from imgrec.quiet import quietly
from imgrec.results import SimilarProducts

register = template.Library()

TEMPLATE = "imgrec/similar_products.html"
STYLES = "imgrec/similar_products.css"


@register.simple_tag(takes_context=True)
def similar_products(
    context: Context,
    product: models.Model,
    *,
    limit: int = 8,
    among: QuerySet[Any] | None = None,
    min_similarity: float | None = None,
    show_similarity: bool = False,
    title: str = "",
) -> SafeString:
    """Show products that look like ``product``: photos with titles, each a link.

    Renders ``imgrec/similar_products.html``; a template of that name in the shop's own folders
    wins. It gets ``cards`` (:class:`imgrec.cards.Card`), ``title``, ``heading_id``,
    ``show_similarity`` and ``seed``, and everything the page has. Nothing to show, or an error
    of ours: nothing is rendered.

    Usage::

        {% similar_products product %}
        {% similar_products product limit=4 among=in_season title=_("You may also like") %}
        {% similar_products product min_similarity=0.5 show_similarity=True %}
    """
    options: dict[str, Any] = {"limit": limit, "among": among, "min_similarity": min_similarity}

    def html() -> SafeString:
        found = similar.similar_products(product, **options)
        return _render(context, product, found, title, show_similarity=show_similarity)

    return quietly(html, SafeString(""), using=partial(_database, product, among))


@register.simple_tag
def get_similar_products(
    product: models.Model,
    *,
    limit: int = 8,
    among: QuerySet[Any] | None = None,
    min_similarity: float | None = None,
) -> SimilarProducts:
    """Give the template a list of products that look like ``product``, each with ``similarity``.

    With several photos a product, ``matched_image`` is the photo that matched. Empty when there
    are none, and after an error of ours.

    Usage::

        {% get_similar_products product limit=8 among=in_season as lookalikes %}
        {% for each in lookalikes %}{{ each.title }} {{ each.similarity|floatformat:2 }}{% endfor %}
    """
    options: dict[str, Any] = {"limit": limit, "among": among, "min_similarity": min_similarity}
    search = partial(similar.similar_products, product, **options)
    return quietly(search, SimilarProducts(), using=partial(_database, product, among))


@register.simple_tag
def imgrec_styles() -> str:
    """Link the stylesheet of ``{% similar_products %}``; belongs into the page's head."""
    link = '<link rel="stylesheet" href="{}">'
    return quietly(lambda: format_html(link, static(STYLES)), "")


def _database(product: models.Model, among: QuerySet[Any] | None) -> str:
    return router.db_for_read(type(product)) if among is None else among.db


def _render(
    context: Context,
    product: models.Model,
    found: SimilarProducts,
    title: str,
    *,
    show_similarity: bool,
) -> SafeString:
    if not found:
        return SafeString("")
    title = title or gettext("Similar products")
    shown = f"{product._meta.label} {product.pk} {title} {[each.pk for each in found]}"
    values = {
        "cards": cards_of(found),
        "title": title,
        # one page may show several lists, and the same page must not differ from view to view
        "heading_id": f"imgrec-{crc32(shown.encode()):08x}",
        "show_similarity": show_similarity,
        "seed": product,
    }
    template_ = context.template.engine.get_template(TEMPLATE)  # type: ignore[union-attr]
    with context.push(**values):
        return template_.render(context)
