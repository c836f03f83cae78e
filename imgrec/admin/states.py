"""A state as the admin shows it: words first, the colour only repeats them."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string

from imgrec.reasons import Reason
from imgrec.states import PhotoState


def state_html(row: Any) -> str:
    """Return the state of an annotated row: a dot, the word, and why it failed."""
    value = getattr(row, "imgrec_state", None)
    if value not in PhotoState.values:
        return ""
    state = PhotoState(value)
    code = getattr(row, "imgrec_state_reason", "") if state == PhotoState.FAILED else ""
    reason = Reason(code) if code in Reason.values else None
    return render_to_string("imgrec/admin/state.html", {"state": state, "reason": reason})


def counted_html(counts: dict[str, int]) -> str:
    """Return the states that occur, each with how many photos are in it."""
    found = [(state, counts[state.value]) for state in PhotoState if counts.get(state.value)]
    return render_to_string("imgrec/admin/states.html", {"counts": found})
