"""Which of the shop's two spaces is filled and served: one whose weights are here."""

from __future__ import annotations

from django.db import transaction

from demo_shop.catalogue.models import Product
from imgrec import space_rows
from imgrec.models import Space
from imgrec.spaces import SpaceDefinition, spaces_of


@transaction.atomic
def serve_what_is_here(*, first_start: bool) -> str:
    """Serve a space whose weights are on this machine; returns lines that say which, and why.

    The first such space is served, unless the admin has switched to another one that has its
    weights too. A space without weights rests, so that nothing waits for it; on the first start
    so does every other one but the served.
    """
    space_rows.sync()
    problems = {space: space.embedder.available() for space in spaces_of(Product)}
    usable = [space for space, problem in problems.items() if problem is None]
    served = _served(usable)
    resting = [s.label for s in problems if s is not served and (first_start or problems[s])]
    Space.objects.filter(label__in=resting).update(is_active=False)
    if served is not None:
        space_rows.serve(served.label)
        Space.objects.filter(label=served.label).update(is_active=True)
    return "\n".join(_lines(served, problems))


def _served(usable: list[SpaceDefinition]) -> SpaceDefinition | None:
    shown = set(Space.objects.filter(is_served=True).values_list("label", flat=True))
    return next((space for space in usable if space.label in shown), next(iter(usable), None))


def _lines(
    served: SpaceDefinition | None, problems: dict[SpaceDefinition, str | None]
) -> list[str]:
    lines = []
    if served is not None:
        lines.append(
            f"Look-alikes come from {served.embedder.name} ({served.label}): "
            "its weights are on this machine."
        )
    else:
        lines.append("There will be no look-alikes: no encoder has its weights on this machine.")
    lines += [
        f"{space.embedder.name} ({space.label}) rests. {problem}"
        for space, problem in problems.items()
        if problem
    ]
    return lines
