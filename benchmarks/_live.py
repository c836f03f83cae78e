"""Live search beside SQL by hand: the same transaction, settings and columns, in turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks import _by_hand as by_hand
from benchmarks._filters import ALL, HALF, Share, few
from benchmarks._report import Row, circumstances
from benchmarks._timing import in_turns

SHOWN = 8


def live_rows(n: int, seeds: Sequence[Any], rounds: int) -> list[Row]:
    """Return p50 of both calls over hand-written SQL, by the index and exactly."""
    from imgrec.conf import settings

    most = settings.exact_below
    cases = [ALL, HALF] if n > 2 * most else []
    with circumstances(repeats=rounds * len(seeds)):
        return [row for case in [*cases, few(n, most)] for row in _case(case, seeds, rounds)]


def _case(case: Share, seeds: Sequence[Any], rounds: int) -> list[Row]:
    """Compare under one filter; similar_products with SQL that goes the way it takes."""
    filters, ef_search = case.among(seeds[0]), _ef_search()
    model = type(seeds[0])
    among = model.objects.filter(**filters) if filters else None
    way = similar(seeds[0], among).way
    took = in_turns(
        {
            "similar_products": lambda seed: similar(seed, among),
            "similar_to": lambda seed: list(
                model.objects.filter(**filters).similar_to(seed)[:SHOWN]
            ),
            "by hand": lambda seed: by_hand.search_under_settings(seed, filters, SHOWN, ef_search),
            "a queryset by hand": lambda seed: by_hand.queryset_under_settings(
                seed, filters, SHOWN, ef_search
            ),
            "by hand, exact": lambda seed: by_hand.search_under_settings(
                seed, filters, SHOWN, ef_search, exact=True
            ),
        },
        seeds,
        rounds,
    )
    note = f"ef_search {ef_search}"
    rival = "by hand, exact" if way == "exact" else "by hand"
    name = f"{case.name}: p50 of "
    return [
        Row(f"{name}similar_to()", took["similar_to"].p50, "ms", "SQL by hand",
            took["by hand"].p50, note=note),
        Row(f"{name}similar_to()", took["similar_to"].p50, "ms", "a queryset by hand",
            took["a queryset by hand"].p50, note=note),
        Row(f"{name}similar_products()", took["similar_products"].p50, "ms", f"SQL {rival}",
            took[rival].p50, note=f"way: {way}, {note}"),
    ]  # fmt: skip


def similar(seed: Any, among: Any) -> Any:
    """Return what a page shows."""
    from imgrec import similar_products

    return similar_products(seed, limit=SHOWN, among=among)


def _ef_search() -> int:
    from imgrec.conf import settings
    from imgrec.models import Space

    measured: int | None = Space.objects.values_list("ef_search", flat=True).first()
    return measured or settings.ef_search
