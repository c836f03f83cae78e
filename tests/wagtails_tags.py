"""Stands in for tags of Wagtail and of its example, so that the tutorial's template runs here."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from django.template import Library, Node
from django.template.base import FilterExpression, Parser, Token
from django.template.context import Context
from django.utils.html import format_html

register = Library()
# By the names that the tutorial loads.
LIBRARIES = dict.fromkeys(("wagtailcore_tags", "wagtailimages_tags", "wares"), __name__)


@register.filter
def products(images: Iterable[Any]) -> list[SimpleNamespace]:
    """Return a page of each image."""
    return [SimpleNamespace(title=f"Page of {each}", image=each) for each in images]


@register.simple_tag
def pageurl(page: Any) -> str:
    """Return where the page is."""
    return f"/{page.title}/"


@register.tag
def image(parser: Parser, token: Token) -> Node:
    """Show an image: Wagtail's rules of size, such as ``fill-320x320``, are no variables."""
    return Image(parser.compile_filter(token.split_contents()[1]))


class Image(Node):
    """One image."""

    def __init__(self, shown: FilterExpression) -> None:
        self.shown = shown

    def render(self, context: Context) -> str:
        return format_html('<img alt="{}">', self.shown.resolve(context))
