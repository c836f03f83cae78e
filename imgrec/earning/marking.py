"""What a counted list carries in the page: nothing, and no work, where nothing is counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from imgrec.conf import settings
from imgrec.earning import experiments
from imgrec.earning.experiments import Draw
from imgrec.earning.tables import PLACEMENT_LENGTH
from imgrec.earning.tokens import Token
from imgrec.results import SimilarProducts

SCRIPT = "imgrec/count.js"
SCRIPT_TEMPLATE = "imgrec/counting_script.html"

_ATTRIBUTES = ' data-imgrec-count="{}" data-imgrec-token="{}"'


@dataclass(frozen=True)
class Marking:
    """One list about to be rendered, in a place of the shop's pages."""

    placement: str
    address: str
    drawn: Draw | None

    @property
    def search(self) -> dict[str, Any]:
        """What the search takes beside what the page asked for."""
        return self.drawn.search if self.drawn else {}

    def attributes(self, found: SimilarProducts) -> SafeString:
        """Return what the list's outermost element carries."""
        if not self.address:
            return SafeString("")
        drawn = self.drawn
        token = Token.new(
            self.placement,
            found.space,
            experiment=drawn.experiment if drawn else 0,
            arm=drawn.arm if drawn else "",
            cards=len(found),
        )
        return format_html(_ATTRIBUTES, self.address, token.text)


NOT_COUNTED = Marking("", "", None)


def marking(model: type[models.Model], placement: str) -> Marking:
    """Return how a list of products of this model is marked, and what it is a list of."""
    marked = marking_to_come(placement)
    if not marked.address:
        return marked
    return replace(marked, drawn=experiments.draw(model, marked.placement))


def marking_to_come(placement: str) -> Marking:
    """Return the marking of a list that comes after its page: its arm is drawn when it does."""
    if not settings.count_clicks:
        return NOT_COUNTED
    try:
        address = reverse("imgrec_fragments:count")
    except NoReverseMatch:  # which a check tells
        return NOT_COUNTED
    return Marking(placement_of(placement), address, None)


def placement_of(name: object) -> str:
    """Return a placement's name as it is counted: a template may give anything."""
    return str(name or "").replace("\0", "").strip()[:PLACEMENT_LENGTH].strip()
