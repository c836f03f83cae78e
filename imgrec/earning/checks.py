"""``imgrec.W006``: counting is on, and nothing can be counted."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Warning
from django.urls import NoReverseMatch, reverse

from imgrec.conf import settings


def check_counting(**kwargs: Any) -> list[CheckMessage]:
    """W006: browsers need an address to tell of clicks."""
    if not settings.count_clicks:
        return []
    try:
        reverse("imgrec_fragments:count")
    except NoReverseMatch:
        text = "IMGREC['count_clicks'] is on, but there is no address to count at."
        hint = 'Add path("imgrec/", include("imgrec.urls")) to the project\'s urls.'
        return [Warning(text, hint=hint, id="imgrec.W006")]
    return []
