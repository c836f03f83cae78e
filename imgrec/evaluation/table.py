"""An evaluation as lines for a terminal."""

from __future__ import annotations

from imgrec.evaluation.measuring import Agreement, Evaluation

LABELS = 5  # named on a terminal; --json names more


def lines(found: Evaluation) -> list[str]:
    """Return the figures of one space, each on a line with what it means."""
    if not len(found.ranked.own):
        return ["no vectors yet"]
    products, asked = len(found.ranked.items), len(found.ranked.own)
    head = f"{products} products, {asked} asked, lists of {found.k}, version "
    return [
        head + found.catalogue.version,
        *_by_label(found),
        *_without_label(found),
        *_hubs(found),
    ]


def agreement_lines(found: Agreement, k: int) -> list[str]:
    """Return how far two spaces agree."""
    figures = found.figures()
    return [
        _line(f"overlap@{k}", figures["overlap"], f"of {figures['asked']} lists"),
        f"{'':24}{figures['nothing_shared']} lists share nothing",
    ]


def _by_label(found: Evaluation) -> list[str]:
    if found.labelled is None:
        return []
    figures, k = found.labelled.figures(), found.k
    told = [
        _line(f"mAP@{k}", figures["map"], f"by {figures['label']}, {figures['judged']} lists"),
        _line(f"precision@{k}", figures["precision"]),
        _line("recall@1", figures["recall_at_1"], "the first has the same label"),
    ]
    worst = [f"{each['name']} {each['map']:.2f}" for each in found.worst_labels()[:LABELS]]
    return [*told, f"{'worst':24}{', '.join(worst)}"] if worst else told


def _without_label(found: Evaluation) -> list[str]:
    told = []
    own, copies = found.own_photos, found.copies
    if own is not None:
        note = f"the nearest photo is of the same product, {own.photos} photos"
        told.append(_line("own photos recall@1", own.recall_at_1, note))
    if copies is not None:
        left = f", {copies.unreadable} not readable" if copies.unreadable else ""
        note = f"finds its original, {copies.photos} photos{left}"
        told += [_line(f"{kind} recall@1", v, note) for kind, v in copies.recall_at_1.items()]
    if found.no_copies:
        told.append(f"{'copies':24}not measured: {found.no_copies}")
    return told


def _hubs(found: Evaluation) -> list[str]:
    hubness = found.hubness
    if hubness is None:
        return [f"{'in nobody' + chr(39) + 's list':24}not known: --queries 0 asks every product"]
    held = f"hold {100 * hubness.hubs_hold:.1f} % of all places, the first {hubness.most}"
    return [
        _line("in nobody's list", hubness.nobody, "share of products"),
        f"{'hubs':24}{hubness.hubs}, {held}; skewness {hubness.skewness:.1f}",
    ]


def _line(name: str, value: float | None, note: str = "") -> str:
    told = "-" if value is None else f"{value:.3f}"
    return f"{name:24}{told:8}{note}".rstrip()
