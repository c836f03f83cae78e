"""The last figures of each space, for whoever looks at its overview."""

from __future__ import annotations

from django.db.models.functions import Now

from imgrec.evaluation.measuring import Evaluation
from imgrec.models import QualityFigures
from imgrec.spaces import SpaceDefinition


def keep(found: Evaluation) -> None:
    """Keep what was found out about a space instead of what was known before."""
    space = found.catalogue.space
    QualityFigures.objects.using(space.using).update_or_create(
        space=space.label,
        defaults={
            "version": found.catalogue.version,
            "figures": found.figures(),
            "measured_at": Now(),
        },
    )


def kept(space: SpaceDefinition) -> QualityFigures | None:
    """Return the last figures of a space, None where there are none."""
    return QualityFigures.objects.using(space.using).filter(space=space.label).first()
