"""Why a photo failed, and what to do."""

from __future__ import annotations

from django.utils.translation import override

from docs.generating.tables import table as markdown
from imgrec.reasons import Reason


def table() -> str:
    """Return the table of reasons, in English."""
    with override("en"):
        rows = [(f"`{each.value}`", str(each.label), str(each.advice)) for each in Reason]
    return markdown(("code", "what happened", "what to do"), rows)
