"""Which pages everybody may see, as a condition in SQL."""

from __future__ import annotations

from django.db.models import CharField, Exists, ExpressionWrapper, F, OuterRef, Q
from wagtail.models import PageViewRestriction


def shown() -> Q:
    """Published, and neither it nor a page above it is private.

    Wagtail's own ``public()`` reads the restrictions when it is called. In a model's ``visible``
    that would be once, when the shop starts.
    """
    path = ExpressionWrapper(OuterRef("path"), output_field=CharField())
    above = PageViewRestriction.objects.alias(path=path).filter(path__startswith=F("page__path"))
    return Q(live=True) & ~Q(Exists(above))
