"""What a space's overview says beside its run: coverage, freshness, encoder, index, quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from imgrec import freshness, index_facts
from imgrec.admin import charts
from imgrec.evaluation import keeping
from imgrec.models import QualityFigures, Space
from imgrec.spaces import SpaceDefinition
from imgrec.states import PhotoState, count_states


@dataclass(frozen=True)
class Index:
    """One index in words; ``problems`` is empty where all is well."""

    name: str
    state: str
    megabytes: float
    rows: int
    problems: list[str]


def of(space: SpaceDefinition) -> dict[str, Any]:
    """Return what the page's template takes."""
    counts, spread = count_states(space), freshness.last_day(space)
    bars = charts.histogram(spread)
    row = Space.objects.using(space.using).filter(label=space.label).first()
    kept = keeping.kept(space)
    return {
        "parts": charts.stacked(counts),
        "photos": sum(counts.values()),
        "ready_percent": _ready(counts),
        "spread": spread,
        "bars": [(charts.WIDTH / len(bars) * place, each) for place, each in enumerate(bars)],
        "bar_width": charts.WIDTH / len(bars) - 2,
        "ticks": charts.ticks(bars),
        "half": _duration(spread.seconds_of(0.5)),
        "most": _duration(spread.seconds_of(0.95)),
        "row": row,
        "encoder": space.embedder,
        "indexes": list(_indexes(space)),
        "quality": kept,
        "figures": figures(kept) if kept else [],
    }


def _ready(counts: dict[str, int]) -> int | None:
    """Return how many percent are ready of the photos that can be; None where there are none."""
    never = counts[PhotoState.NO_PHOTO] + counts[PhotoState.EXCLUDED]
    photos = sum(counts.values()) - never
    return int(100 * counts[PhotoState.READY] / photos) if photos else None


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else charts.duration(seconds)


def _indexes(space: SpaceDefinition) -> Any:
    names = {"hnsw": _("search (HNSW)"), "gin": _("lists (GIN)")}
    for kind, name in names.items():
        try:
            facts = index_facts.examine(space, kind)
        except LookupError as error:  # not migrated yet
            yield Index(name, "", 0.0, 0, [str(error)])
            continue
        state = _("being built") if facts.building else _state(facts.state)
        yield Index(name, state, facts.bytes / 1_000_000, facts.rows, facts.problems())


def _state(code: str) -> str:
    names = {
        "valid": _("there and whole"),
        "invalid": pgettext("imgrec", "invalid"),
        "missing": pgettext("index", "missing"),
    }
    return names[code]


def figures(kept: QualityFigures) -> list[tuple[str, str, str]]:
    """Return name, value and meaning of each figure that was measured."""
    found, k = kept.figures, kept.figures["k"]
    judged, copies = found.get("judged") or {}, (found.get("copies") or {}).get("recall_at_1", {})
    own, hubness = found.get("own_photos") or {}, found.get("hubness") or {}
    told = [
        (f"mAP@{k}", judged.get("map"), _("lists with products of the same label")),
        (f"precision@{k}", judged.get("precision"), _("results with the same label")),
        (_("own photos"), own.get("recall_at_1"), _("photos whose nearest is of the same product")),
        (_("flipped"), copies.get("flipped"), _("mirrored copies that find their original")),
        (_("cropped"), copies.get("cropped"), _("cropped copies that find their original")),
        (_("recompressed"), copies.get("recompressed"), _("compressed ones that find theirs")),
        (_("in nobody's list"), hubness.get("nobody"), _("products that no other's list shows")),
    ]
    return [(name, f"{value:.3f}", meaning) for name, value, meaning in told if value is not None]
