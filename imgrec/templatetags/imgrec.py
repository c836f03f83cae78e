"""``{% load imgrec %}``: similar products in a template, without ever breaking its page."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import template
from django.db import models, router
from django.db.models import QuerySet
from django.template import Context, TemplateSyntaxError
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from imgrec import similar
from imgrec.earning import marking
from imgrec.fragments import Fragment
from imgrec.quiet import quietly
from imgrec.rescue import rescued
from imgrec.results import SimilarProducts
from imgrec.showing import TEMPLATE, list_values, place_values
from imgrec.spaces import spaces_of

register = template.Library()

LAZY_TEMPLATE = "imgrec/similar_products_lazy.html"
STYLES = "imgrec/similar_products.css"
SCRIPT = "imgrec/lazy.js"

NO_AMONG = (
    "{% similar_products … among=… lazy=True %}: an address cannot carry a queryset. Leave out "
    "lazy=True (and put {% cache %} around the tag where it costs too much), or say it by the "
    "field's recommend=."
)
NO_ADDRESS = (
    "{% similar_products … lazy=True %} needs an address to load from: add "
    'path("imgrec/", include("imgrec.urls")) to the project\'s urls.'
)


@register.simple_tag(takes_context=True)
def similar_products(
    context: Context,
    product: models.Model,
    *,
    limit: int = 8,
    among: QuerySet[Any] | None = None,
    min_similarity: float | None = None,
    min_match: float | None = None,
    group_by: str | None = None,
    fold: float | None = None,
    diversity: float | None = None,
    price_band: float | None = None,
    show_similarity: bool = False,
    show_why: bool = False,
    show_match: bool = False,
    title: str = "",
    lazy: bool = False,
    rescue: bool = False,
    placement: str = "",
) -> SafeString:
    """Show products that look like ``product``: photos with titles, each a link.

    ``limit`` to ``price_band`` are those of :func:`imgrec.similar_products`.

    Renders ``imgrec/similar_products.html``; a template of that name in the shop's own folders
    wins. It gets ``cards`` (:class:`imgrec.cards.Card`), ``title``, ``heading_id``,
    ``show_similarity``, ``show_match``, ``is_rescue``, ``seed`` and ``counting``, and everything
    the page has. Nothing to show, or an error of ours: nothing is rendered.

    ``rescue``: on the page of a product that is itself not recommended, being sold out, have
    ``is_rescue`` true and a heading that says so, and hold to ``price_band`` there alone. One
    SELECT more.

    ``show_why``: say on each card in which part of its photo it is like the product, once a
    worker has looked: the page never waits for that. Each card has it as ``place``.

    ``lazy``: render a place and a script that brings the same list when the place comes near
    the window; without scripts, a link to it. Needs ``imgrec.urls`` among the project's, and
    takes no ``among``: with DEBUG a ``TemplateSyntaxError``, else logged, and the list comes
    with the page.

    ``placement``: what the list is counted under where ``IMGREC["count_clicks"]`` is on, such as
    "product page" or "basket".

    Usage::

        {% similar_products product %}
        {% similar_products product limit=4 among=in_season title=_("You may also like") %}
        {% similar_products product min_similarity=0.5 show_similarity=True %}
        {% similar_products product min_match=80 show_match=True %}
        {% similar_products product lazy=True %}
        {% similar_products product rescue=True price_band=0.3 %}
    """
    if show_match and min_match is None:
        min_match = 0
    search = _search(limit, min_similarity, min_match, group_by, fold, diversity, price_band)
    look: dict[str, Any] = {
        "title": title,
        "show_similarity": show_similarity,
        "show_match": show_match,
    }
    look |= {"show_why": True} if show_why else {}
    if lazy:
        asked = {**look, "rescue": rescue, "placement": placement}
        place = _place(context, product, among, search, asked)
        if place is not None:
            return place

    def html() -> SafeString:
        is_rescue, chosen = rescued(product, search, rescue=rescue)
        marked = marking.marking(type(product), placement)
        found = similar.similar_products(product, among=among, **chosen, **marked.search)
        if not found:
            return SafeString("")
        values = list_values(product, found, **look, is_rescue=is_rescue)
        values["counting"] = marked.attributes(found)
        return _rendered(context, TEMPLATE, values) + _script(context, marked)

    return quietly(html, SafeString(""), using=partial(_database, product, among), about=product)


@register.simple_tag
def get_similar_products(
    product: models.Model,
    *,
    limit: int = 8,
    among: QuerySet[Any] | None = None,
    min_similarity: float | None = None,
    min_match: float | None = None,
    group_by: str | None = None,
    fold: float | None = None,
    diversity: float | None = None,
    price_band: float | None = None,
) -> SimilarProducts:
    """Give the template a list of products that look like ``product``, each with ``similarity``.

    With ``min_match`` (0 will do) also with ``match``, in percent. With several photos a product,
    ``matched_image`` is the photo that matched. Empty when there are none, and after an error of
    ours.

    Usage::

        {% get_similar_products product limit=8 among=in_season as lookalikes %}
        {% for each in lookalikes %}{{ each.title }} {{ each.similarity|floatformat:2 }}{% endfor %}
    """
    search = _search(limit, min_similarity, min_match, group_by, fold, diversity, price_band)
    found = partial(similar.similar_products, product, among=among, **search)
    return quietly(
        found, SimilarProducts(), using=partial(_database, product, among), about=product
    )


@register.simple_tag
def imgrec_styles() -> str:
    """Link the stylesheet of ``{% similar_products %}``; belongs into the page's head."""
    link = '<link rel="stylesheet" href="{}">'
    return quietly(lambda: format_html(link, static(STYLES)), "")


def _search(
    limit: int,
    min_similarity: float | None,
    min_match: float | None,
    group_by: str | None,
    fold: float | None,
    diversity: float | None,
    price_band: float | None,
) -> dict[str, Any]:
    """Return what the search takes, without what nobody asked for: addresses stay short."""
    asked = {
        "min_similarity": min_similarity,
        "min_match": min_match,
        "group_by": group_by,
        "fold": fold,
        "diversity": diversity,
        "price_band": price_band,
    }
    return {"limit": limit} | {name: value for name, value in asked.items() if value is not None}


def _database(product: models.Model, among: QuerySet[Any] | None) -> str:
    return router.db_for_read(type(product)) if among is None else among.db


def _place(
    context: Context,
    product: models.Model,
    among: QuerySet[Any] | None,
    search: dict[str, Any],
    look: dict[str, Any],
) -> SafeString | None:
    """Return the place of a list that comes later, or None when it must come with the page."""

    def html() -> SafeString | None:
        if among is not None:
            raise TemplateSyntaxError(NO_AMONG)
        if product.pk is None or not spaces_of(type(product)) or search["limit"] <= 0:
            return None  # nothing to wait for
        marked = marking.marking_to_come(look.pop("placement"))
        asked = Fragment.of(product, search, **look, placement=marked.placement)
        values = place_values(product, asked, script=static(SCRIPT), **_addresses(asked))
        return _rendered(context, LAZY_TEMPLATE, values) + _script(context, marked)

    debug = context.template.engine.debug  # type: ignore[union-attr]
    return quietly(html, None, aloud=(TemplateSyntaxError,) if debug else (), about=product)


def _script(context: Context, marked: marking.Marking) -> SafeString:
    """Return the script that tells of the list, where it is counted."""
    if not marked.address:
        return SafeString("")
    return _rendered(context, marking.SCRIPT_TEMPLATE, {"script": static(marking.SCRIPT)})


def _addresses(asked: Fragment) -> dict[str, str]:
    names = {"address": "similar", "page_address": "page"}
    try:
        return {
            value: reverse(f"imgrec_fragments:{name}", args=[asked.token])
            for value, name in names.items()
        }
    except NoReverseMatch as error:
        raise TemplateSyntaxError(NO_ADDRESS) from error


def _rendered(context: Context, name: str, values: dict[str, Any]) -> SafeString:
    template_ = context.template.engine.get_template(name)  # type: ignore[union-attr]
    with context.push(**values):
        return template_.render(context)
