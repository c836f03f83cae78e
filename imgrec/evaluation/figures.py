"""The figures of an evaluation in words, for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from imgrec.evaluation.measuring import Agreement, Evaluation

NOTHING = "\N{EN DASH}"


@dataclass(frozen=True)
class Figure:
    """One figure of every space, and what it means."""

    name: str
    values: list[str]
    meaning: str


def figure_rows(found: Sequence[Evaluation], agreement: Agreement | None) -> list[Figure]:
    """Return what is known of at least one of the spaces, each with a value for all."""
    columns = [_figures(each) for each in found]
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = [
        Figure(
            name,
            [column.get(name, (NOTHING, ""))[0] for column in columns],
            next(column[name][1] for column in columns if name in column),
        )
        for name in names
    ]
    if agreement is None:
        return rows
    figures = agreement.figures()
    meaning = _("how much of their lists the two spaces share")
    shared = Figure(f"overlap@{found[0].k}", [_number(figures["overlap"])], meaning)
    return [shared, *rows]


def _figures(found: Evaluation) -> dict[str, tuple[str, str]]:
    return {**_by_label(found), **_without_label(found), **_hubs(found)}


def _by_label(found: Evaluation) -> dict[str, tuple[str, str]]:
    if found.labelled is None:
        return {}
    figures, k = found.labelled.figures(), found.k
    return {
        f"mAP@{k}": (
            _number(figures["map"]),
            _("lists with products of the same label, those in front counting more"),
        ),
        f"precision@{k}": (_number(figures["precision"]), _("results with the same label")),
        "recall@1": (_number(figures["recall_at_1"]), _("lists whose first has the same label")),
    }


def _without_label(found: Evaluation) -> dict[str, tuple[str, str]]:
    told = {}
    if found.own_photos is not None:
        told[_("own photos")] = (
            _number(found.own_photos.recall_at_1),
            _("photos whose nearest is of the same product"),
        )
    kinds = {
        "flipped": (_("flipped"), _("mirrored copies whose nearest photo is the original")),
        "cropped": (_("cropped"), _("cropped copies whose nearest photo is the original")),
        "recompressed": (
            _("recompressed"),
            _("strongly compressed copies whose nearest photo is the original"),
        ),
    }
    for kind, share in found.copies.recall_at_1.items() if found.copies else ():
        name, meaning = kinds[kind]
        told[name] = (_number(share), meaning)
    return told


def _hubs(found: Evaluation) -> dict[str, tuple[str, str]]:
    hubness = found.hubness
    if hubness is None:
        return {}
    return {
        _("in nobody's list"): (
            _number(hubness.nobody),
            _("products that no other product's list shows"),
        ),
        _("hubs"): (
            str(hubness.hubs),
            _("products in more than five times as many lists as usual"),
        ),
        _("held by hubs"): (_number(hubness.hubs_hold), _("places of all lists that hubs take")),
    }


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"
